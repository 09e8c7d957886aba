import { Button, Group, Input, PasswordInput, Text, Textarea, TextInput } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useState } from 'react';
import { list } from '~/format';
import { t } from '~/texts';
import { Prose } from '../Prose';
import type { ControlProps } from './Control';
import { isOffered, isReference } from './secrets';

type Way = 'stored' | 'typed' | 'referred';

/**
 * A secret: typed in, never shown; or, where the service offers that, the place in Google Secret Manager where it is. One that the
 * service has stays as long as nothing is put in its place.
 */
export function Secret(props: ControlProps) {
  const { value, change, at, context } = props;
  const known = context.stored.includes(at) || context.references[at] !== undefined;
  const given = typeof value === 'string' ? 'typed' : isReference(value) ? 'referred' : undefined;
  const [chosen, choose] = useState<Way>(known ? 'stored' : 'typed');
  const way = given ?? (chosen === 'stored' && !known ? 'typed' : chosen);
  if (way === 'stored') return <Stored {...props} replace={() => choose('typed')} />;
  const turn = (to: Way) => {
    change(undefined);
    choose(to);
  };
  const words = t.schemaForm;
  return (
    <div>
      {way === 'referred' ? <Referred {...props} /> : <Typed {...props} />}
      {!context.disabled && (
        <Group gap="xs" mt={4}>
          {context.offered.length > 0 && (
            <Button
              size="compact-sm"
              variant="subtle"
              onClick={() => turn(way === 'referred' ? 'typed' : 'referred')}
              aria-label={`${way === 'referred' ? words.typeIt : words.referTo}: ${props.field.label}`}
            >
              {way === 'referred' ? words.typeIt : words.referTo}
            </Button>
          )}
          {known && (
            <Button size="compact-sm" variant="subtle" onClick={() => turn('stored')}>
              {words.keep}
            </Button>
          )}
        </Group>
      )}
    </div>
  );
}

function common({ field, at, context }: ControlProps) {
  return {
    label: field.label,
    description: field.schema.description && <Prose text={field.schema.description} />,
    error: context.errors[at],
    disabled: context.disabled,
    withAsterisk: field.required,
  };
}

function Stored(props: ControlProps & { replace: () => void }) {
  const { field, value, change, at, context, replace } = props;
  const words = t.schemaForm;
  const reference = context.references[at];
  return (
    <Input.Wrapper {...common(props)} labelElement="div">
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
              onClick={replace}
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

function Typed(props: ControlProps) {
  const { field, value, change, at } = props;
  const input = {
    ...common(props),
    value: typeof value === 'string' ? value : '',
    autoComplete: 'off',
    spellCheck: false,
    'data-field': at,
  };
  const typed = (text: string) => change(text === '' ? undefined : text);
  return field.schema['x-multiline'] ? (
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
      visibilityToggleButtonProps={{ 'aria-label': t.schemaForm.show }}
    />
  );
}

/** Where the secret is. It counts as given once it is one that is offered; until then only this field has what was typed. */
function Referred(props: ControlProps) {
  const { value, change, at, context } = props;
  const [text, setText] = useState(isReference(value) ? value.reference : '');
  const words = t.schemaForm;
  const right = isOffered(text, context.offered);
  return (
    <TextInput
      {...common(props)}
      description={words.referHint(list([...context.offered]))}
      error={text !== '' && !right ? words.notOffered : context.errors[at]}
      value={text}
      onChange={event => {
        const next = event.currentTarget.value.trim();
        setText(next);
        change(isOffered(next, context.offered) ? { reference: next } : undefined);
      }}
      placeholder="projects/…/secrets/…/versions/latest"
      autoComplete="off"
      spellCheck={false}
      classNames={{ input: 'code-input' }}
      dir="ltr"
      data-field={at}
    />
  );
}
