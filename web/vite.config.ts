import { fileURLToPath } from 'node:url';
import { tanstackRouter } from '@tanstack/router-plugin/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { compress } from './vite/compress';
import { themeCss } from './vite/theme-css';

/** Where `sluice serve` listens while the pages are worked on. */
const service = process.env.SLUICE_WEB_SERVICE ?? 'http://127.0.0.1:8470';

/** What the service itself sends with the pages, so that what it refuses is refused here as well. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const proxy = Object.fromEntries(
  ['/v1', '/docs', '/openapi.json', '/health', '/ready'].map(path => [path, { target: service, changeOrigin: false }]),
);

export default defineConfig({
  plugins: [tanstackRouter({ target: 'react', autoCodeSplitting: true }), react(), themeCss(), compress()],
  resolve: { alias: { '~': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2023',
    // A file as a data: address would be refused by the policy for fonts, and is no smaller.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
  },
  server: { port: 5571, strictPort: true, proxy },
  preview: { port: 5571, strictPort: true, proxy, headers: { 'Content-Security-Policy': policy } },
  test: { environment: 'node', include: ['src/**/*.test.ts', 'vite/**/*.test.ts'] },
});
