// Forms: values and errors are Mantine's; the service's problems are put at their fields.
import { type UseFormInput, useForm } from '@mantine/form';
import { useState } from 'react';
import { ApiError } from '~/api/problem';

/** A form whose `submit` sends its values. A problem about one of its fields stands at the field, any other in `problem`. */
export function useSendForm<T extends Record<string, unknown>>(
  input: UseFormInput<T> & { send: (values: T) => Promise<unknown> },
) {
  const { send, ...options } = input;
  const form = useForm<T>(options);
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  const submit = form.onSubmit(
    async values => {
      if (busy) return;
      setBusy(true);
      setProblem(null);
      try {
        await send(values);
      } catch (error) {
        const field = error instanceof ApiError ? error.field : undefined;
        if (error instanceof ApiError && field && field in values) form.setFieldError(field, error.problem.detail);
        else setProblem(error);
      } finally {
        setBusy(false);
      }
    },
    errors => {
      const first = Object.keys(errors)[0];
      if (first) form.getInputNode(first)?.focus();
    },
  );
  return { form, submit, problem, busy };
}
