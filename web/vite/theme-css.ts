// Mantine writes a theme's variables into a <style> element at run time, which a Content-Security-Policy without
// 'unsafe-inline' refuses. This writes what differs from Mantine's own stylesheet into a file when the pages are built.
import { convertCssVariables, DEFAULT_THEME, defaultCssVariablesResolver, mergeMantineTheme } from '@mantine/core';
import type { Plugin } from 'vite';
import { theme } from '../src/app/theme';

const NAME = 'virtual:theme.css';

type Variables = Record<string, string>;

function changed(now: Variables, before: Variables): Variables {
  return Object.fromEntries(Object.entries(now).filter(([name, value]) => before[name] !== value));
}

export function themeVariables(): string {
  const now = defaultCssVariablesResolver(mergeMantineTheme(DEFAULT_THEME, theme));
  const before = defaultCssVariablesResolver(DEFAULT_THEME);
  return convertCssVariables(
    {
      variables: changed(now.variables, before.variables),
      light: changed(now.light, before.light),
      dark: changed(now.dark, before.dark),
    },
    ':root',
  );
}

export function themeCss(): Plugin {
  return {
    name: 'theme-css',
    resolveId: id => (id === NAME ? `\0${NAME}` : undefined),
    load: id => (id === `\0${NAME}` ? themeVariables() : undefined),
  };
}
