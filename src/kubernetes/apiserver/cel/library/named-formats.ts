/** `format.dns1123Label().validate(x)` (apiserver `pkg/cel/library/format.go`): the errors, none when it fits. */
import { parseTimestamp } from '../time.ts';
import { bytesOfBase64 } from '../values.ts';
import { parseUrl } from './url.ts';

type Check = (text: string) => readonly string[];
const tooLong = (limit: number): string => `must be no more than ${limit} bytes`;
const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const LABEL_TEXT = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`;
const SUBDOMAIN_TEXT = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${LABEL}(\\.${LABEL})*')`;
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const LABEL_1035_TEXT = `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${LABEL_1035}')`;
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const QUALIFIED_TEXT = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${QUALIFIED}')`;
const VALUE_TEXT = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${QUALIFIED})?')`;

const by =
  (limit: number, pattern: string, text: string): Check =>
  (value) => [...(value.length > limit ? [tooLong(limit)] : []), ...(new RegExp(`^${pattern}$`).test(value) ? [] : [text])];
const label = by(63, LABEL, LABEL_TEXT);
const subdomain = by(253, `${LABEL}(\\.${LABEL})*`, SUBDOMAIN_TEXT);
const label1035 = by(63, LABEL_1035, LABEL_1035_TEXT);
/** Names with a dash at the end are prefixes for generated names. */
const prefix =
  (check: Check): Check =>
  (value) =>
    check(value.replace(/-$/, 'a'));
const qualified: Check = (value) => {
  const parts = value.split('/');
  if (parts.length > 2)
    return [`a qualified name ${QUALIFIED_TEXT.slice('name part '.length)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const name = parts.at(-1)!;
  const errors = parts.length === 2 ? (parts[0] === '' ? ['prefix part must be non-empty'] : subdomain(parts[0]!).map((each) => `prefix part ${each}`)) : [];
  if (name === '') return [...errors, 'name part must be non-empty', QUALIFIED_TEXT];
  return [...errors, ...(name.length > 63 ? [`name part ${tooLong(63)}`] : []), ...(new RegExp(`^${QUALIFIED}$`).test(name) ? [] : [QUALIFIED_TEXT])];
};
const one =
  (fits: (text: string) => boolean, text: string): Check =>
  (value) =>
    fits(value) ? [] : [text];

export const NAMED_FORMATS: Readonly<Record<string, Check>> = {
  dns1123Label: label,
  dns1123Subdomain: subdomain,
  dns1035Label: label1035,
  qualifiedName: qualified,
  dns1123LabelPrefix: prefix(label),
  dns1123SubdomainPrefix: prefix(subdomain),
  dns1035LabelPrefix: prefix(label1035),
  labelValue: by(63, `(${QUALIFIED})?`, VALUE_TEXT),
  uri: one((text) => typeof parseUrl(text) !== 'string', 'invalid URI'),
  uuid: one((text) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text), 'does not match the UUID format'),
  byte: one((text) => bytesOfBase64(text) !== undefined, 'invalid base64'),
  date: one((text) => parseTimestamp(`${text}T00:00:00Z`) !== undefined, 'invalid date'),
  datetime: one((text) => parseTimestamp(text) !== undefined, 'invalid datetime'),
};
