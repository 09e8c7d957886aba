import { useQuery } from '@tanstack/react-query';
import { membersQuery } from '~/features/members/queries';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Name } from '~/ui/Name';

/** Who did something, as the API names them: `user ID`, `token ID`, `schedule`, `host`, `operator`. */
export function Who({ id }: { id: string }) {
  const { tenant } = useHere();
  const [kind, of] = id.split(' ');
  const members = useQuery({ ...membersQuery(tenant), enabled: kind === 'user' });
  if (kind === 'user') {
    const member = members.data?.items.find(each => each.user === of);
    return <Name size="sm">{member?.name ?? t.who.formerMember}</Name>;
  }
  if (kind === 'token') return <Name size="sm">{t.who.token(of ?? '')}</Name>;
  // An id alone is that of a run's attempt.
  return <Name size="sm">{t.who.others[id] ?? (of === undefined ? t.who.run : id)}</Name>;
}
