// What several steps are made of.
import { Text } from '@mantine/core';
import type { ConnectorView, OffersView, StreamView } from '~/api/schema.gen';
import type { Schema } from '~/ui/schema-form/model';
import type { Draft, Step, Stream } from './draft';
import type { Kept } from './useDraft';
import classes from './Wizard.module.css';

/** What a step works with. */
export interface StepProps {
  tenant: string;
  id: string;
  kept: Kept;
  draft: Draft;
  schema: Schema | undefined;
  offers: OffersView;
  /** What is read with, if that is known. */
  connector: ConnectorView | undefined;
  /** What the connector of the draft can do. */
  can: { incremental: boolean; filter: boolean; changedFiles: boolean; title: string };
  /** What is wrong with the configuration, by place. */
  wrong: Record<string, string>;
  /** Streams that were seen on this page, by their ids. */
  seen: ReadonlyMap<string, StreamView>;
  saw: (streams: StreamView[]) => void;
  /** Says what is read from: streams of another source are others. */
  source: string;
  go: (step: Step) => void;
}

export function changeStreams(kept: Kept, how: (streams: Stream[]) => Stream[]): void {
  kept.change(draft => ({ ...draft, definition: { ...draft.definition, streams: how(draft.definition.streams) } }));
}

export function changeStream(kept: Kept, id: string, how: (stream: Stream) => Stream): void {
  changeStreams(kept, streams => streams.map(stream => (stream.id === id ? how(stream) : stream)));
}

/** A connector's icon, as an image and nothing else: what it draws cannot run or load anything. */
export function ConnectorIcon({ icon, title }: { icon?: string | null; title: string }) {
  if (icon?.startsWith('data:image/')) return <img src={icon} alt="" className={classes.icon} />;
  return (
    <Text component="span" aria-hidden className={`${classes.icon} ${classes.letter}`}>
      {[...title][0]}
    </Text>
  );
}
