// What is chosen among several things of which there is more to say than a line.
import { UnstyledButton } from '@mantine/core';
import { type KeyboardEvent, type ReactNode, useLayoutEffect, useRef } from 'react';
import classes from './Wizard.module.css';

const STEPS: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

const tilesIn = (group: HTMLElement) => [...group.querySelectorAll<HTMLElement>('[data-tile]')];

/**
 * A group of tiles. The Tab key stops at one of them, arrows, Home and End go from one to the next. Among radios that chooses, as it does among
 * a browser's own; others are only chosen by Enter, because choosing them leads on.
 */
export function Tiles({
  label,
  radio,
  className = 'cards',
  children,
}: {
  label: string;
  radio?: boolean;
  className?: string;
  children: ReactNode;
}) {
  const group = useRef<HTMLDivElement>(null);
  // Whatever was drawn, one tile is on the way of the Tab key: where one was last, what is chosen, or the first.
  useLayoutEffect(() => {
    const tiles = group.current ? tilesIn(group.current) : [];
    const chosen = tiles.find(tile => tile.matches('[aria-checked=true], [aria-pressed=true]'));
    const stop = tiles.find(tile => tile === document.activeElement) ?? chosen ?? tiles[0];
    for (const tile of tiles) tile.tabIndex = tile === stop ? 0 : -1;
  });
  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const tiles = tilesIn(event.currentTarget);
    const at = tiles.indexOf(event.target as HTMLElement);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = STEPS[event.key];
    const across = event.key === 'ArrowRight' || event.key === 'ArrowLeft';
    const mirrored = across && getComputedStyle(event.currentTarget).direction === 'rtl';
    const to =
      event.key === 'Home'
        ? 0
        : event.key === 'End'
          ? tiles.length - 1
          : step && (at + (mirrored ? -step : step) + tiles.length) % tiles.length;
    const tile = to === undefined ? undefined : tiles[to];
    if (!tile) return;
    event.preventDefault();
    for (const other of tiles) other.tabIndex = other === tile ? 0 : -1;
    tile.focus();
    if (radio) tile.click();
  };
  const part = { role: radio ? 'radiogroup' : 'toolbar', 'aria-label': label, onKeyDown: move };
  return (
    <div ref={group} className={className} {...part}>
      {children}
    </div>
  );
}

/** Something to choose among several, as large as what there is to say of it. Stands in `Tiles`. */
export function Tile({
  chosen,
  onChoose,
  tall,
  radio,
  children,
  label,
}: {
  chosen: boolean;
  onChoose: () => void;
  tall?: boolean;
  radio?: boolean;
  children: ReactNode;
  label?: string;
}) {
  const role = radio ? { role: 'radio', 'aria-checked': chosen } : { 'aria-pressed': chosen };
  return (
    <UnstyledButton
      className={[classes.tile, tall ? classes.tall : ''].join(' ')}
      onClick={onChoose}
      aria-label={label}
      data-tile
      {...role}
    >
      {children}
    </UnstyledButton>
  );
}
