// Read by the pages and, when they are built, by vite/theme-css.ts. It must not import styles.
import { createTheme, type MantineColorsTuple } from '@mantine/core';
import { t } from '../texts';

/** The shades from 6 on have at least 4.5:1 against white, those up to 3 against the dark background. */
const water: MantineColorsTuple = [
  '#eef3ff',
  '#dbe5fc',
  '#b7c9f6',
  '#8fabf0',
  '#6d8fe9',
  '#4a74de',
  '#2f5fd0',
  '#2650b4',
  '#1f4397',
  '#18367b',
];

const closeButtonProps = { 'aria-label': t.common.close };

export const theme = createTheme({
  primaryColor: 'water',
  primaryShade: { light: 6, dark: 7 },
  colors: { water },
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'Cascadia Mono', 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  headings: { fontFamily: "'Inter Variable', system-ui, sans-serif", fontWeight: '650' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  autoContrast: true,
  respectReducedMotion: true,
  components: {
    // Locking the page's scrolling would put a <style> element into it.
    Modal: { defaultProps: { lockScroll: false, centered: true, closeButtonProps } },
    Notification: { defaultProps: { closeButtonProps } },
    Drawer: { defaultProps: { lockScroll: false, closeButtonProps } },
    Spotlight: { defaultProps: { lockScroll: false } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300, events: { hover: true, focus: true, touch: false } } },
    Table: { defaultProps: { verticalSpacing: 'xs', horizontalSpacing: 'md', fz: 'sm' } },
    Badge: { styles: { label: { overflow: 'visible' } } },
  },
});
