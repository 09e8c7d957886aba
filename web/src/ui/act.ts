// Something that a person does and the service carries out: pressing twice sends once, a failure is told, what it changed is read anew.
import { notifications } from '@mantine/notifications';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { wordsOf } from './Problem';

interface Act<In, Out> {
  run: (input: In) => Promise<Out>;
  /** What is found stale once it is done. */
  stale?: readonly (readonly unknown[])[];
  done?: (result: Out, input: In) => void;
  /** Said when it is done. */
  said?: string | ((result: Out) => string);
  /** A form shows the problem itself; then it is not told beside. */
  quiet?: boolean;
}

export function useAct<In = void, Out = unknown>({ run, stale, done, said, quiet }: Act<In, Out>) {
  const client = useQueryClient();
  return useMutation<Out, Error, In>({
    mutationFn: run,
    onSuccess: async (result, input) => {
      await Promise.all((stale ?? []).map(queryKey => client.invalidateQueries({ queryKey })));
      if (said) notifications.show({ message: typeof said === 'string' ? said : said(result), color: 'green' });
      done?.(result, input);
    },
    onError: error => {
      if (quiet) return;
      const { title, detail, remedy } = wordsOf(error);
      notifications.show({
        title,
        message: [detail, remedy].filter(Boolean).join(' '),
        color: 'red',
        autoClose: 12_000,
      });
    },
  });
}
