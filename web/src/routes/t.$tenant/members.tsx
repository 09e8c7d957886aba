import { createFileRoute } from '@tanstack/react-router';
import { MembersPage } from '~/features/members/MembersPage';

export const Route = createFileRoute('/t/$tenant/members')({ component: MembersPage });
