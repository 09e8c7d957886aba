// What the forms of connections have in common: values, what is wrong with them, and sending them.
import { useMemo, useState } from 'react';
import { ApiError } from '~/api/problem';
import type { ConnectionView, ConnectorView, GrantsBody } from '~/api/schema.gen';
import { useAct } from '~/ui/act';
import type { Json, Schema } from '~/ui/schema-form/model';
import { type Errors, pointerOf, validate } from '~/ui/schema-form/validate';

export interface Values {
  name: string;
  config: Record<string, Json>;
  grants: GrantsBody;
}

interface Input {
  connector: ConnectorView;
  initial: Values;
  /** Pointers to the secrets that the service has. */
  stored?: readonly string[];
  send: (values: Values) => Promise<ConnectionView>;
  stale: readonly (readonly unknown[])[];
  said: string;
  done?: (connection: ConnectionView) => void;
}

export interface ConnectionForm {
  values: Values;
  change: (part: Partial<Values>) => void;
  changed: boolean;
  errors: Errors;
  /** Whether it may be sent; what is wrong is shown from then on. */
  check: () => boolean;
  submit: () => void;
  reset: () => void;
  problem: ApiError | undefined;
  error: Error | null;
  busy: boolean;
  sent: boolean;
}

export function useConnectionForm({ connector, initial, stored, send, stale, said, done }: Input): ConnectionForm {
  const [values, setValues] = useState(initial);
  const [tried, setTried] = useState(false);
  const schema = connector.config as Schema;
  const save = useAct({ run: () => send(values), stale, said, quiet: true, done });
  const wrong = useMemo(() => validate(schema, values.config, stored), [schema, values.config, stored]);
  const problem = save.error instanceof ApiError ? save.error : undefined;
  const errors = tried ? { ...wrong } : {};
  const refused = pointerOf(problem?.field);
  if (refused && problem && !(refused in errors)) errors[refused] = problem.problem.detail;
  const check = () => {
    setTried(true);
    return Object.keys(wrong).length === 0;
  };
  return {
    values,
    change: part => setValues(before => ({ ...before, ...part })),
    changed: JSON.stringify(values) !== JSON.stringify(initial),
    errors,
    check,
    submit: () => {
      if (check() && !save.isPending) save.mutate();
    },
    reset: () => {
      setValues(initial);
      setTried(false);
      save.reset();
    },
    problem,
    error: save.error,
    busy: save.isPending,
    sent: save.isSuccess,
  };
}
