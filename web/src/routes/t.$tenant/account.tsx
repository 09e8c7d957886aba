import { createFileRoute } from '@tanstack/react-router';
import { AccountPage } from '~/features/account/AccountPage';

export const Route = createFileRoute('/t/$tenant/account')({ component: AccountPage });
