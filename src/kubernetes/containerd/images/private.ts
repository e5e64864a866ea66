/**
 * A registry that wants to know who is asking: whatever is named under `registry.example.net/private/` is there, for one
 * account. What such an image runs is assumed, as with other images nobody here knows. The host is one of those that
 * belong to nobody (RFC 2606).
 */
import type { ImageFamily } from '../image.ts';
import { normaliseReference } from '../image.ts';
import { standIn } from './assumed.ts';

export const PRIVATE_REGISTRY = { host: 'registry.example.net', username: 'learner', password: 'orrery-pull' } as const;
const ACCESS = { username: PRIVATE_REGISTRY.username, password: PRIVATE_REGISTRY.password };

export const privateImage: ImageFamily = ({ domain, path, tag, digest }) =>
  domain === PRIVATE_REGISTRY.host && path.startsWith('private/') && digest === undefined
    ? standIn(normaliseReference(`${domain}/${path}${tag === undefined ? '' : `:${tag}`}`), ACCESS)
    : undefined;
