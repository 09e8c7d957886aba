import { Button, Modal, Paper, Stack, Text, Title } from '@mantine/core';
import { IconCalendarTime } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { number, ownZone, shortClock, weekday } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Empty } from '~/ui/Empty';
import type { Column } from '~/ui/Listing';
import { Loaded } from '~/ui/Loaded';
import { TextLink } from '~/ui/links';
import { Name } from '~/ui/Name';
import { Page } from '~/ui/Page';
import { PagedRows } from '~/ui/PagedRows';
import { Panel } from '~/ui/Panel';
import classes from './Calendar.module.css';
import { type Day, days, type Start, startsOf } from './days';
import { calendarQuery } from './queries';

/** Starts that a day shows; the rest is counted. */
const SHOWN = 12;

export function CalendarPage() {
  const { tenant } = useHere();
  const query = useQuery(calendarQuery(tenant));
  return (
    <Page title={t.calendar.title} lead={`${t.calendar.lead} ${t.calendar.zone(ownZone())}`}>
      <Loaded query={query} lines={8}>
        {({ items, whole }) => <Week starts={startsOf(items)} cut={items.some(({ more }) => more)} whole={whole} />}
      </Loaded>
    </Page>
  );
}

function Week({ starts, cut, whole }: { starts: Start[]; cut: boolean; whole: boolean }) {
  const [opened, open] = useState<Day>();
  const week = useMemo(() => days(starts, new Date()), [starts]);
  if (starts.length === 0) {
    return (
      <Panel>
        <Empty icon={IconCalendarTime} title={t.calendar.empty}>
          {t.calendar.emptyHint}
        </Empty>
      </Panel>
    );
  }
  return (
    <Stack>
      <ol className={classes.week} aria-label={t.calendar.week}>
        {week.map((day, index) => (
          <DayColumn key={day.date.toISOString()} day={day} today={index === 0} open={() => open(day)} />
        ))}
      </ol>
      {cut && (
        <Text size="sm" c="dimmed">
          {t.calendar.known}
        </Text>
      )}
      {!whole && (
        <Text size="sm" c="dimmed">
          {t.calendar.notWhole}
        </Text>
      )}
      <Modal
        opened={opened !== undefined}
        onClose={() => open(undefined)}
        title={opened && weekday(opened.date)}
        size="lg"
      >
        {opened && <WholeDay day={opened} />}
      </Modal>
    </Stack>
  );
}

const textOf = (start: Start) => start.name;
const idOf = (start: Start) => `${start.pipeline} ${start.at.toISOString()}`;

/** Every start of a day, searched by name. */
function WholeDay({ day }: { day: Day }) {
  const { tenant } = useHere();
  const columns: Column<Start>[] = [
    {
      title: t.calendar.at,
      cell: start => <time dateTime={start.at.toISOString()}>{shortClock(start.at)}</time>,
      width: 8,
    },
    {
      title: t.calendar.pipeline,
      cell: start => (
        <TextLink to="/t/$tenant/pipelines/$pipeline" params={{ tenant, pipeline: start.pipeline }} display="block">
          <Name size="sm">{start.name}</Name>
        </TextLink>
      ),
    },
  ];
  return <PagedRows label={weekday(day.date)} columns={columns} items={day.starts} id={idOf} text={textOf} />;
}

function DayColumn({ day, today, open }: { day: Day; today: boolean; open: () => void }) {
  const { tenant } = useHere();
  return (
    <Paper component="li" withBorder radius="md" className={classes.day}>
      <Title order={2} size="h5" className={classes.date}>
        {today && (
          <Text span size="xs" c="dimmed" display="block">
            {t.calendar.today}
          </Text>
        )}
        {weekday(day.date)}
      </Title>
      <ul className={classes.starts}>
        {day.starts.slice(0, SHOWN).map(start => (
          <li key={`${start.pipeline} ${start.at.toISOString()}`} className={classes.start}>
            <time dateTime={start.at.toISOString()} className={classes.time}>
              {shortClock(start.at)}
            </time>
            <TextLink
              to="/t/$tenant/pipelines/$pipeline"
              params={{ tenant, pipeline: start.pipeline }}
              size="sm"
              className={classes.link}
            >
              <Name size="sm">{start.name}</Name>
            </TextLink>
          </li>
        ))}
      </ul>
      {day.starts.length > SHOWN && (
        <Button variant="subtle" size="compact-xs" mt={4} onClick={open}>
          {t.calendar.more(number(day.starts.length - SHOWN))}
        </Button>
      )}
      {day.starts.length === 0 && (
        <Text size="sm" c="dimmed">
          {t.calendar.nothing}
        </Text>
      )}
    </Paper>
  );
}
