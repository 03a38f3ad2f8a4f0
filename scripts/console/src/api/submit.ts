import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';

import { Intent } from './intent';
import { asProblem, type Problem } from './problem';

export interface Submit<Input, Output> {
  send: (input: Input) => void;
  sending: boolean;
  input: Input | undefined; // of the last sending
  problem: Problem | undefined;
  output: Output | undefined;
  reset: () => void;
}

/**
 * A change that a person makes. The key is for requests that take an Idempotency-Key; a request that says so (`repeatable`: it carries the
 * key, or does no harm when it comes twice) is sent again by itself, after as long as the service asks, when the service was busy or
 * could not be reached.
 */
export function useSubmit<Input, Output>(
  send: (input: Input, key: string) => Promise<Output>,
  options: {
    repeatable?: boolean;
    onDone?: (output: Output, input: Input) => void;
    onProblem?: (problem: Problem, input: Input) => void;
  } = {},
): Submit<Input, Output> {
  const intent = useRef<Intent | null>(null);
  const mine = (intent.current ??= new Intent());
  const mutation = useMutation({
    mutationFn: (input: Input) => send(input, mine.key(input)),
    retry: (failures, error) => (options.repeatable ?? false) && failures < 2 && asProblem(error).passing,
    retryDelay: (failures, error) => Math.max(asProblem(error).retryAfter * 1000, 400 * 2 ** failures),
    onSuccess: (output, input) => {
      mine.done();
      options.onDone?.(output, input);
    },
    onError: (error, input) => options.onProblem?.(asProblem(error), input),
  });
  return {
    send: mutation.mutate,
    sending: mutation.isPending,
    input: mutation.variables,
    problem: mutation.error ? asProblem(mutation.error) : undefined,
    output: mutation.data,
    reset: mutation.reset,
  };
}
