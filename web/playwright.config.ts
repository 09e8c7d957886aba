import { defineConfig } from '@playwright/test';

// Debian's Chromium, or the one that the variable names. Playwright downloads none.
const executablePath = process.env.SLUICE_WEB_CHROMIUM ?? '/usr/bin/chromium';

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'e2e/output/failures',
  // One service takes all tests, one after the other: the machine may be small and busy.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 180_000,
  // A browser on a busy machine stalls now and then. What passes only the second time is reported as flaky.
  retries: 1,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    viewport: { width: 1360, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    actionTimeout: 30_000,
    trace: 'retain-on-failure',
    // As root, as CI is, Chromium has no sandbox of its own.
    launchOptions: { executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] },
  },
});
