import { NumberInput, Stack, Text } from '@mantine/core';
import { duration, list, number } from '~/format';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import type { Retry } from './draft';
import type { StepProps } from './parts';
import { said, USUAL, waits } from './retry';

/** How often a run that failed is tried again, and how long is waited before. */
export function Retries({ draft, kept }: StepProps) {
  const retry = { ...USUAL, ...draft.definition.retry };
  const set = (part: Retry) =>
    kept.change(before => ({
      ...before,
      definition: { ...before.definition, retry: said({ ...before.definition.retry, ...part }) },
    }));
  const words = t.wizard.retry;
  const amount = (name: keyof Retry, min: number, max: number, step = 1) => (
    <NumberInput
      label={words[name]}
      min={min}
      max={max}
      step={step}
      allowDecimal={step < 1}
      value={retry[name]}
      onChange={value => set({ [name]: value === '' ? undefined : Number(value) })}
    />
  );
  const between = waits(draft.definition.retry);
  const more = retry.max_attempts - 1 > between.length;
  return (
    <Panel title={words.title} hint={words.hint}>
      <Stack>
        <div className="cards">
          {amount('max_attempts', 1, 20)}
          {retry.max_attempts > 1 && (
            <>
              {amount('base_seconds', 1, 86_400)}
              {amount('factor', 1, 10, 0.5)}
              {amount('cap_seconds', retry.base_seconds, 86_400)}
              <NumberInput
                label={words.jitter}
                min={0}
                max={100}
                suffix=" %"
                value={Math.round(retry.jitter * 100)}
                onChange={value => set({ jitter: value === '' ? undefined : Number(value) / 100 })}
              />
            </>
          )}
        </div>
        <Text size="sm" c="dimmed" role="status">
          {between.length === 0
            ? words.never
            : words.waits(
                number(retry.max_attempts - 1),
                list([...between.map(seconds => duration(seconds * 1_000)), ...(more ? ['…'] : [])]),
              )}
        </Text>
      </Stack>
    </Panel>
  );
}
