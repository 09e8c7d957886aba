import { PasswordInput, type PasswordInputProps } from '@mantine/core';
import { t } from '~/texts';

/** A password that somebody chooses, as long as the service wants it. */
export function NewPassword(props: PasswordInputProps) {
  return (
    <PasswordInput
      description={t.session.passwordHint}
      autoComplete="new-password"
      required
      minLength={12}
      maxLength={256}
      visibilityToggleButtonProps={{ 'aria-label': t.session.showPassword }}
      {...props}
    />
  );
}
