/** DenyServiceExternalIPs: no Service may claim an address that is not the cluster's (plugin/pkg/admission/network/denyserviceexternalips). Off by default. */
import type { Service } from '../../api/types.gen.ts';
import { forbidden } from '../errors.ts';
import { nameOf, type Plugin } from './admission.ts';

export const denyExternalIps: Plugin = {
  name: 'DenyServiceExternalIPs',
  validate(attributes) {
    const ips = (of: unknown): readonly string[] => (of as Service | undefined)?.spec?.externalIPs ?? [];
    const before = new Set(ips(attributes.old));
    if (ips(attributes.object).some((ip) => !before.has(ip)))
      throw forbidden('', 'services', nameOf(attributes), 'Use of external IPs is denied by admission control.');
  },
};
