import { Paper, Stack, Text, Title } from '@mantine/core';
import { IconCalendarTime } from '@tabler/icons-react';
import { useQueries, useQuery } from '@tanstack/react-query';
import { definitionOf } from '~/features/pipelines/definition';
import { allPipelinesQuery, scheduleQuery } from '~/features/pipelines/queries';
import { number, ownZone, shortClock, weekday } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Empty } from '~/ui/Empty';
import { Loaded, Waiting } from '~/ui/Loaded';
import { TextLink } from '~/ui/links';
import { Name } from '~/ui/Name';
import { Page } from '~/ui/Page';
import { Panel } from '~/ui/Panel';
import classes from './Calendar.module.css';
import { type Day, days, type Start } from './days';

/** Schedules that are asked for, one request each. */
const MOST = 100;

/** Starts that a day shows; the rest is counted. */
const SHOWN = 12;

export function CalendarPage() {
  const { tenant } = useHere();
  const pipelines = useQuery(allPipelinesQuery(tenant));
  return (
    <Page title={t.calendar.title} lead={`${t.calendar.lead} ${t.calendar.zone(ownZone())}`}>
      <Loaded query={pipelines}>
        {({ items }) => {
          const scheduled = items.filter(each => each.enabled && definitionOf(each.definition).schedule);
          return <Week pipelines={scheduled.slice(0, MOST)} all={scheduled.length} />;
        }}
      </Loaded>
    </Page>
  );
}

function Week({ pipelines, all }: { pipelines: { id: string; name: string }[]; all: number }) {
  const { tenant } = useHere();
  const { starts, pending } = useQueries({
    queries: pipelines.map(pipeline => scheduleQuery(tenant, pipeline.id)),
    combine: results => ({
      pending: results.some(result => result.isPending),
      starts: results.flatMap((result, index): Start[] => {
        const pipeline = pipelines[index];
        if (!pipeline || !result.data?.followed) return [];
        return result.data.next.map(at => ({ at: new Date(at), pipeline: pipeline.id, name: pipeline.name }));
      }),
    }),
  });
  if (pending) return <Waiting lines={8} />;
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
        {days(starts, new Date()).map((day, index) => (
          <DayColumn key={day.date.toISOString()} day={day} today={index === 0} />
        ))}
      </ol>
      <Text size="sm" c="dimmed">
        {t.calendar.known} {all > MOST && t.calendar.whole(number(MOST))}
      </Text>
    </Stack>
  );
}

function DayColumn({ day, today }: { day: Day; today: boolean }) {
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
        <Text size="xs" c="dimmed">
          {t.calendar.more(number(day.starts.length - SHOWN))}
        </Text>
      )}
      {day.starts.length === 0 && (
        <Text size="sm" c="dimmed">
          {t.calendar.nothing}
        </Text>
      )}
    </Paper>
  );
}
