import { Button, Group, Input, PasswordInput, Text, Textarea } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useState } from 'react';
import { t } from '~/texts';
import { Prose } from '../Prose';
import type { ControlProps } from './Control';

/** A secret: typed in, never shown. One that the service has stays as long as nothing is typed in its place. */
export function Secret({ field, value, change, at, context }: ControlProps) {
  const stored = context.stored.includes(at);
  const reference = context.references[at];
  const [replacing, setReplacing] = useState(false);
  const words = t.schemaForm;
  const common = {
    label: field.label,
    description: field.schema.description && <Prose text={field.schema.description} />,
    error: context.errors[at],
    disabled: context.disabled,
    withAsterisk: field.required,
  };
  if ((stored || reference) && !replacing && typeof value !== 'string') {
    return (
      <Input.Wrapper {...common} labelElement="div">
        <Group gap="sm" mt={4}>
          <IconLock size={16} aria-hidden />
          <Text size="sm" className="wrap-anywhere">
            {value === null ? words.removed : reference ? words.inSecretManager(reference) : words.stored}
          </Text>
          {!context.disabled && (
            <>
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => setReplacing(true)}
                aria-label={`${words.replace}: ${field.label}`}
              >
                {words.replace}
              </Button>
              {!field.required && (
                <Button
                  size="compact-sm"
                  variant="subtle"
                  color={value === null ? undefined : 'red'}
                  onClick={() => change(value === null ? undefined : null)}
                  aria-label={`${value === null ? words.keep : words.removeStored}: ${field.label}`}
                >
                  {value === null ? words.keep : words.removeStored}
                </Button>
              )}
            </>
          )}
        </Group>
      </Input.Wrapper>
    );
  }
  const input = {
    ...common,
    value: typeof value === 'string' ? value : '',
    autoComplete: 'off',
    spellCheck: false,
    'data-field': at,
  };
  const typed = (text: string) => change(text === '' ? undefined : text);
  return (
    <div>
      {field.schema['x-multiline'] ? (
        <Textarea
          {...input}
          onChange={event => typed(event.currentTarget.value)}
          autosize
          minRows={3}
          maxRows={12}
          ff="monospace"
        />
      ) : (
        <PasswordInput
          {...input}
          autoComplete="new-password"
          onChange={event => typed(event.currentTarget.value)}
          visibilityToggleButtonProps={{ 'aria-label': words.show }}
        />
      )}
      {stored && (
        <Button
          size="compact-sm"
          variant="subtle"
          mt={4}
          onClick={() => {
            setReplacing(false);
            change(undefined);
          }}
        >
          {words.keep}
        </Button>
      )}
    </div>
  );
}
