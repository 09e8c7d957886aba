import { createFileRoute } from '@tanstack/react-router';
import { BeginPage } from '~/features/wizard/BeginPage';

export const Route = createFileRoute('/t/$tenant/new/')({ component: BeginPage });
