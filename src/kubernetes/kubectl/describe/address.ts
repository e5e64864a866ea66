/** Addresses of Services and the ranges they come from (kubectl pkg/describe, IPAddressDescriber and ServiceCIDRDescriber). */
import type { IPAddress, ServiceCIDR } from '../../api/types.gen.ts';
import { aboutObject, eventsOf } from './events.ts';
import type { Describer } from './reader.ts';
import { longTime } from './sheet.ts';

export const describeAddress: Describer<IPAddress> = async (sheet, address, context) => {
  const { metadata, spec } = address;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  if (spec?.parentRef) {
    const { group = '', resource = '', namespace = '', name = '' } = spec.parentRef;
    sheet.line(0, 'Parent Reference:');
    sheet.line(1, 'Group:', group);
    sheet.line(1, 'Resource:', resource);
    sheet.line(1, 'Namespace:', namespace);
    sheet.line(1, 'Name:', name);
  }
  await eventsOf(sheet, context, aboutObject(address));
};

export const describeServiceCidr: Describer<ServiceCIDR> = async (sheet, range, context) => {
  const { metadata, spec, status } = range;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'CIDRs:', (spec?.cidrs ?? []).join(', '));
  if (status?.conditions?.length) {
    sheet.line(0, 'Status:');
    sheet.line(0, 'Conditions:');
    sheet.line(1, 'Type', 'Status', 'LastTransitionTime', 'Reason', 'Message');
    sheet.line(1, '----', '------', '------------------', '------', '-------');
    for (const { type, status: is, lastTransitionTime, reason, message } of status.conditions)
      sheet.line(1, type, is, longTime(lastTransitionTime), reason, message);
  }
  await eventsOf(sheet, context, aboutObject(range));
};
