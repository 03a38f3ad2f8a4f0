import { useCallback } from 'react';
import { useNavigate } from 'react-router';

/** An onFollow for Cloudscape's links, so that a link inside the console loads no page anew. */
export function useFollow(): (event: CustomEvent<{ href?: string; external?: boolean; target?: string }>) => void {
  const navigate = useNavigate();
  return useCallback(
    (event) => {
      const { href, external, target } = event.detail;
      if (!href?.startsWith('/') || href.startsWith('/_local/') || external || target) return;
      event.preventDefault();
      void navigate(href);
    },
    [navigate],
  );
}
