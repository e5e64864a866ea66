/** Tables of certificate requests and of flow control (pkg/printers/internalversion). */
import { seconds } from '../../../sim/clock.ts';
import { humanDuration } from '../../api/time.ts';
import type { CertificateSigningRequest, FlowSchema, PriorityLevelConfiguration } from '../../api/types.gen.ts';
import { age, columns, type Printer } from './table.ts';

export const signingRequestPrinter: Printer<CertificateSigningRequest> = {
  columns: columns('Name', 'Age', 'SignerName', 'Requestor', 'RequestedDuration', 'Condition'),
  cells: (object, now) => {
    const { signerName, username = '', expirationSeconds } = object.spec;
    const types = (object.status?.conditions ?? []).map(({ type }) => type);
    // The last word of an approver counts; what came of it follows.
    const words = [types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending'];
    if (types.includes('Failed')) words.push('Failed');
    if (object.status?.certificate) words.push('Issued');
    const duration = expirationSeconds === undefined ? '<none>' : humanDuration(seconds(expirationSeconds));
    return [object.metadata.name ?? '', age(object, now), signerName || '<none>', username, duration, words.join(',')];
  },
};

export const flowSchemaPrinter: Printer<FlowSchema> = {
  columns: columns('Name', 'PriorityLevel', 'MatchingPrecedence', 'DistinguisherMethod', 'Age', 'MissingPL'),
  cells: (object, now) => [
    object.metadata.name ?? '',
    object.spec?.priorityLevelConfiguration.name ?? '',
    object.spec?.matchingPrecedence ?? 0,
    object.spec?.distinguisherMethod?.type ?? '<none>',
    age(object, now),
    object.status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
  ],
};

export const priorityLevelPrinter: Printer<PriorityLevelConfiguration> = {
  columns: columns('Name', 'Type', 'NominalConcurrencyShares', 'Queues', 'HandSize', 'QueueLengthLimit', 'Age'),
  cells: (object, now) => {
    const { type = '', limited, exempt } = object.spec ?? {};
    const queuing = limited?.limitResponse?.queuing;
    const number = (value: number | undefined) => value ?? '<none>';
    return [
      object.metadata.name ?? '',
      type,
      number(limited ? limited.nominalConcurrencyShares : exempt?.nominalConcurrencyShares),
      number(queuing?.queues),
      number(queuing?.handSize),
      number(queuing?.queueLengthLimit),
      age(object, now),
    ];
  },
};
