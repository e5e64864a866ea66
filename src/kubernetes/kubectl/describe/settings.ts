/** Configuration: config maps, secrets, service accounts. */
import type { ConfigMap, Secret, ServiceAccount } from '../../api/types.gen.ts';
import { aboutObject, eventsOf } from './events.ts';
import { type Describer, listOf } from './reader.ts';
import { sortedKeys } from './sheet.ts';

const bytesOfBase64 = (text: string): number => Math.floor((text.replace(/[^A-Za-z0-9+/]/g, '').length * 3) / 4);

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Decodes what is known to be ASCII: tokens. */
function decodeAscii(text: string): string {
  let out = '';
  let bits = 0;
  let held = 0;
  for (const ch of text) {
    const value = ALPHABET.indexOf(ch);
    if (value < 0) continue;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += String.fromCharCode((held >> bits) & 0xff);
  }
  return out;
}

export const describeConfigMap: Describer<ConfigMap> = async (sheet, configMap, context) => {
  const { metadata, data = {}, binaryData = {} } = configMap;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, '\nData\n====');
  for (const key of sortedKeys(data)) sheet.line(0, `${key}:\n----\n${data[key]}\n`);
  sheet.line(0, '\nBinaryData\n====');
  for (const key of sortedKeys(binaryData)) sheet.line(0, `${key}: ${bytesOfBase64(binaryData[key] ?? '')} bytes`);
  sheet.line(0, '');
  await eventsOf(sheet, context, aboutObject(configMap));
};

export const describeSecret: Describer<Secret> = async (sheet, { metadata, type = '', data = {} }) => {
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, '\nType:', type);
  sheet.line(0, '\nData\n====');
  for (const key of sortedKeys(data)) {
    const value = data[key] ?? '';
    const token = key === 'token' && type === 'kubernetes.io/service-account-token';
    sheet.line(0, `${key}:`, token ? decodeAscii(value) : `${bytesOfBase64(value)} bytes`);
  }
};

export const describeServiceAccount: Describer<ServiceAccount> = async (sheet, account, context) => {
  const { metadata, imagePullSecrets = [], secrets = [] } = account;
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.line(0, 'Namespace:', metadata.namespace ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  const all = await listOf(context.read, 'Secret', metadata.namespace ?? '').catch(() => []);
  const tokens = all.filter(
    (secret) =>
      secret.type === 'kubernetes.io/service-account-token' &&
      secret.metadata.annotations?.['kubernetes.io/service-account.name'] === metadata.name &&
      secret.metadata.annotations?.['kubernetes.io/service-account.uid'] === metadata.uid,
  );
  const missing = (name: string): string => (all.some((secret) => secret.metadata.name === name) ? name : `${name} (not found)`);
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ['Image pull secrets:', imagePullSecrets.map(({ name }) => missing(name ?? ''))],
    ['Mountable secrets: ', secrets.map(({ name }) => missing(name ?? ''))],
    ['Tokens:            ', tokens.map((secret) => missing(secret.metadata.name ?? ''))],
  ];
  for (const [title, names] of lists) {
    if (names.length === 0) sheet.line(0, title, '<none>');
    names.forEach((name, i) => {
      sheet.line(0, i === 0 ? title : '                   ', name);
    });
  }
  await eventsOf(sheet, context, aboutObject(account));
};
