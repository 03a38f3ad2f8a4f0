import TextFilter from '@cloudscape-design/components/text-filter';
import { useEffect, useRef, useState } from 'react';

/** A search that the service answers: it asks when nobody has typed for a moment. */
export function SearchField({ value, onChange, placeholder, label, countText }: { value: string; onChange: (text: string) => void; placeholder: string; label: string; countText?: string }) {
  const [text, setText] = useState(value);
  const told = useRef(value);
  useEffect(() => {
    if (text === told.current) return undefined;
    const timer = setTimeout(() => {
      told.current = text;
      onChange(text);
    }, 250);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  return <TextFilter filteringText={text} filteringPlaceholder={placeholder} filteringAriaLabel={label} countText={text ? countText : undefined} onChange={(e) => setText(e.detail.filteringText)} />;
}
