/** CustomResourceDefinitions: what is filled in, and what is refused (apiextensions-apiserver `pkg/apis/apiextensions/{v1,validation}`). */
import type { KubeObject } from '../../api/meta.ts';
import { dns1035LabelErrors, dns1123SubdomainErrors } from '../../api/names.ts';
import { type FieldError, forbidden, immutable, invalid, notSupported, required, sameJson } from '../validation/field.ts';
import { SUBDOMAIN, validateMetadata, validateMetadataUpdate } from '../validation/metadata.ts';
import { schemaErrors } from './definition-schema.ts';
import type { Definition, Names, PrinterColumn, Schema, VersionSpec } from './schema.ts';

export const asDefinition = (object: KubeObject): Definition => object as unknown as Definition;

export function definitionDefaults(object: KubeObject): KubeObject {
  const definition = asDefinition(object);
  const { spec } = definition;
  if (!spec?.names) return object;
  const { names } = spec;
  const singular = names.singular || (names.kind ?? '').toLowerCase();
  const listKind = names.listKind || (names.kind ? `${names.kind}List` : '');
  const conversion = spec.conversion ?? { strategy: 'None' };
  const service = conversion.webhook?.clientConfig?.service;
  const filled =
    service && service.port === undefined
      ? { ...conversion, webhook: { ...conversion.webhook, clientConfig: { ...conversion.webhook?.clientConfig, service: { ...service, port: 443 } } } }
      : conversion;
  return {
    ...definition,
    spec: { ...spec, conversion: filled, names: { ...names, ...(singular ? { singular } : {}), ...(listKind ? { listKind } : {}) } },
  } as unknown as KubeObject;
}

export function definitionErrors(object: KubeObject, before: KubeObject | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const { metadata, spec, status } = asDefinition(object);
  const old = before && asDefinition(before);
  const wanted = `${spec?.names?.plural ?? ''}.${spec?.group ?? ''}`;
  validateMetadata(errors, metadata, false, (name) => [...SUBDOMAIN(name), ...(name === wanted ? [] : ['must be spec.names.plural+"."+spec.group'])]);
  if (old) validateMetadataUpdate(errors, metadata, old.metadata);
  errors.push(...specErrors(asDefinition(object), old));
  if (old) {
    const established = old.status?.conditions?.some((each) => each.type === 'Established' && each.status === 'True') ?? false;
    if (established) {
      immutable(errors, 'spec.scope', spec.scope, old.spec.scope);
      immutable(errors, 'spec.names.kind', spec.names.kind, old.spec.names.kind);
    }
    immutable(errors, 'spec.group', spec.group, old.spec.group);
    immutable(errors, 'spec.names.plural', spec.names.plural, old.spec.names.plural);
    status?.storedVersions?.forEach((version, i) => {
      if (!spec.versions.some(({ name }) => name === version))
        errors.push(
          invalid(
            `status.storedVersions[${i}]`,
            version,
            `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
          ),
        );
    });
  }
  errors.push(...approvalErrors(asDefinition(object), old));
  return errors;
}

const joined = (errors: FieldError[], field: string, value: string | undefined, reasons: readonly string[], before = ''): void => {
  if (value && reasons.length > 0) errors.push(invalid(field, value, before + reasons.join(',')));
};

function specErrors(definition: Definition, old: Definition | undefined): FieldError[] {
  const { spec } = definition;
  const errors: FieldError[] = [];
  const group = spec?.group ?? '';
  if (group === '') errors.push(required('spec.group'));
  else if (dns1123SubdomainErrors(group).length > 0) joined(errors, 'spec.group', group, dns1123SubdomainErrors(group));
  else if (!group.includes('.')) errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  if (!spec?.scope) errors.push(required('spec.scope'));
  else if (spec.scope !== 'Cluster' && spec.scope !== 'Namespaced') errors.push(notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']));
  const versions = spec?.versions ?? [];
  const shared = <T>(pick: (version: VersionSpec) => T | undefined): boolean => {
    const first = versions[0] && pick(versions[0]);
    return first !== undefined && versions.every((each) => sameJson(pick(each), first));
  };
  // What all versions say alike the internal type says once, and that is what messages name.
  const schemaOnce = shared((each) => each.schema);
  const subresourcesOnce = shared((each) => each.subresources);
  const columnsOnce = shared((each) => (each.additionalPrinterColumns?.length ? each.additionalPrinterColumns : undefined));
  versions.forEach((version, i) => {
    if (!version.schema?.openAPIV3Schema) errors.push(required(`spec.versions[${i}].schema.openAPIV3Schema`));
  });
  versions.forEach((version, i) => {
    const at = `spec.versions[${i}]`;
    joined(errors, `${at}.name`, version.name, dns1035LabelErrors(version.name ?? ''));
    if (version.deprecationWarning !== undefined && !version.deprecated)
      errors.push(invalid(`${at}.deprecationWarning`, version.deprecationWarning, 'can only be set for deprecated versions'));
    if (!schemaOnce) errors.push(...ofSchema(version, `${at}.schema`, old));
    if (!subresourcesOnce) errors.push(...subresourceErrors(version, `${at}.subresources`));
    if (!columnsOnce) errors.push(...columnErrors(version.additionalPrinterColumns, `${at}.additionalPrinterColumns`));
    errors.push(...selectableErrors(version, `${at}.selectableFields`));
  });
  if (new Set(versions.map(({ name }) => name)).size < versions.length) errors.push(invalid('spec.versions', versions, 'must contain unique version names'));
  if (versions.filter(({ storage }) => storage).length !== 1)
    errors.push(invalid('spec.versions', versions, 'must have exactly one version marked as storage version'));
  const { names } = spec ?? {};
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const) if (!names?.[name]) errors.push(required(`spec.names.${name}`));
  if (names) errors.push(...nameErrors(names));
  const [first] = versions;
  if (schemaOnce && first)
    errors.push(
      ...ofSchema(
        first,
        'spec.validation',
        old,
        versions.some((each) => each.subresources?.status !== undefined),
      ),
    );
  if (subresourcesOnce && first) errors.push(...subresourceErrors(first, 'spec.subresources'));
  if (columnsOnce) errors.push(...columnErrors(first?.additionalPrinterColumns, 'spec.additionalPrinterColumns'));
  if (spec?.preserveUnknownFields === true)
    errors.push(
      invalid('spec.preserveUnknownFields', true, 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'),
    );
  errors.push(...conversionErrors(definition));
  return errors;
}

function ofSchema(version: VersionSpec, path: string, old: Definition | undefined, status = version.subresources?.status !== undefined): FieldError[] {
  const schema = version.schema?.openAPIV3Schema;
  // What was accepted once and has not changed is not judged again.
  if (!schema || old?.spec.versions.some((each) => sameJson(each.schema?.openAPIV3Schema, schema))) return [];
  return schemaErrors(schema, `${path}.openAPIV3Schema`, status);
}

function nameErrors(names: Names): FieldError[] {
  const errors: FieldError[] = [];
  const mixed = 'may have mixed case, but should otherwise match: ';
  joined(errors, 'spec.names.plural', names.plural, dns1035LabelErrors(names.plural ?? ''));
  joined(errors, 'spec.names.singular', names.singular, dns1035LabelErrors(names.singular ?? ''));
  joined(errors, 'spec.names.kind', names.kind, dns1035LabelErrors((names.kind ?? '').toLowerCase()), mixed);
  joined(errors, 'spec.names.listKind', names.listKind, dns1035LabelErrors((names.listKind ?? '').toLowerCase()), mixed);
  names.shortNames?.forEach((name, i) => joined(errors, `spec.names.shortNames[${i}]`, name, dns1035LabelErrors(name)));
  if (names.kind && names.kind === names.listKind) errors.push(invalid('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'));
  names.categories?.forEach((name, i) => joined(errors, `spec.names.categories[${i}]`, name, dns1035LabelErrors(name)));
  return errors;
}

const simplePath = (path: string): string | undefined => (path.startsWith('.') ? undefined : 'must be a simple json path starting with .');

function subresourceErrors(version: VersionSpec, path: string): FieldError[] {
  const scale = version.subresources?.scale;
  if (!scale) return [];
  const errors: FieldError[] = [];
  const check = (name: 'specReplicasPath' | 'statusReplicasPath' | 'labelSelectorPath', under: readonly string[], text: string): void => {
    const value = scale[name];
    const at = `${path}.scale.${name}`;
    if (!value) {
      if (name !== 'labelSelectorPath') errors.push(required(at));
      return;
    }
    const wrong = simplePath(value) ?? (under.some((start) => value.startsWith(start)) ? undefined : text);
    if (wrong) errors.push(invalid(at, value, wrong));
  };
  check('specReplicasPath', ['.spec.'], 'should be a json path under .spec');
  check('statusReplicasPath', ['.status.'], 'should be a json path under .status');
  check('labelSelectorPath', ['.spec.', '.status.'], 'should be a json path under either .spec or .status');
  return errors;
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
function columnErrors(columns: readonly PrinterColumn[] | undefined, path: string): FieldError[] {
  return (columns ?? []).flatMap((column, i) => {
    const errors: FieldError[] = [];
    const at = `${path}[${i}]`;
    if (!column.name) errors.push(required(`${at}.name`));
    if (!column.type) errors.push(required(`${at}.type`, `must be one of ${COLUMN_TYPES.join(',')}`));
    else if (!COLUMN_TYPES.includes(column.type)) errors.push(invalid(`${at}.type`, column.type, `must be one of ${COLUMN_TYPES.join(',')}`));
    if (column.format && !COLUMN_FORMATS.includes(column.format))
      errors.push(invalid(`${at}.format`, column.format, `must be one of ${COLUMN_FORMATS.join(',')}`));
    if (!column.jsonPath) errors.push(required(`${at}.JSONPath`));
    else {
      const wrong = simplePath(column.jsonPath);
      if (wrong) errors.push(invalid(`${at}.JSONPath`, column.jsonPath, wrong));
    }
    return errors;
  });
}

const MOST_SELECTABLE = 8;
function selectableErrors(version: VersionSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  version.selectableFields?.forEach(({ jsonPath }, i) => {
    const at = `${path}[${i}].jsonPath`;
    if (!jsonPath) return void errors.push(required(at));
    let schema: Schema | undefined = version.schema?.openAPIV3Schema;
    for (const name of jsonPath.replace(/^\./, '').split('.')) schema = schema?.properties?.[name];
    if (!jsonPath.startsWith('.') || (!schema && !jsonPath.startsWith('.metadata')))
      return void errors.push(
        invalid(at, jsonPath, `is an invalid path: ${jsonPath.startsWith('.') ? 'does not refer to a valid field' : `expected [ or . but got: ${jsonPath}`}`),
      );
    if (jsonPath.startsWith('.metadata')) errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'));
    if (!['string', 'boolean', 'integer'].includes(schema?.type ?? ''))
      errors.push(invalid(at, jsonPath, 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'));
    if (seen.has(jsonPath)) errors.push({ type: 'FieldValueDuplicate', field: at, badValue: jsonPath, detail: '' });
    seen.add(jsonPath);
  });
  if (seen.size > MOST_SELECTABLE)
    errors.push({ type: 'FieldValueTooMany', field: path, badValue: seen.size, detail: `must have at most ${MOST_SELECTABLE} items` });
  return errors;
}

function conversionErrors({ spec }: Definition): FieldError[] {
  const conversion = spec?.conversion;
  if (!conversion) return [];
  const errors: FieldError[] = [];
  const { strategy, webhook } = conversion;
  if (!strategy) errors.push(required('spec.conversion.strategy'));
  else if (strategy !== 'None' && strategy !== 'Webhook') errors.push(notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook']));
  if (strategy !== 'Webhook') {
    if (webhook) errors.push(forbidden('spec.conversion.webhookClientConfig', 'should not be set when strategy is not set to Webhook'));
    return errors;
  }
  const config = webhook?.clientConfig;
  if (!config) errors.push(required('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook'));
  else if ((config.url === undefined) === (config.service === undefined))
    errors.push(required('spec.conversion.webhookClientConfig', 'exactly one of url or service is required'));
  else if (config.service) {
    const at = 'spec.conversion.webhookClientConfig.service';
    if (!config.service.name) errors.push(required(`${at}.name`, 'service name is required'));
    if (!config.service.namespace) errors.push(required(`${at}.namespace`, 'service namespace is required'));
    const { port, path } = config.service;
    if (port !== undefined && (port < 1 || port > 65_535))
      errors.push(invalid(`${at}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'));
    if (path !== undefined && !path.startsWith('/')) errors.push(invalid(`${at}.path`, path, "must start with a '/'"));
  } else if (!config.url!.startsWith('https://'))
    errors.push(invalid('spec.conversion.webhookClientConfig.url', config.url, "'https' is the only allowed URL scheme; desired format: https://host[/path]"));
  const reviews = webhook?.conversionReviewVersions ?? [];
  if (reviews.length === 0) errors.push(required('spec.conversion.conversionReviewVersions'));
  else if (!reviews.some((each) => each === 'v1' || each === 'v1beta1'))
    errors.push(invalid('spec.conversion.conversionReviewVersions', reviews, 'must include at least one of v1, v1beta1'));
  return errors;
}

export const APPROVED = 'api-approved.kubernetes.io';
const SEE = 'see https://github.com/kubernetes/enhancements/pull/1111';
/** Groups of the Kubernetes community are protected (KEP-1111). */
export const isProtected = (group: string): boolean => ['k8s.io', 'kubernetes.io'].some((domain) => group === domain || group.endsWith(`.${domain}`));

export function approval(definition: Definition): { readonly state: 'missing' | 'bypassed' | 'approved' | 'invalid'; readonly reason: string } {
  const value = definition.metadata.annotations?.[APPROVED] ?? '';
  if (value === '') return { state: 'missing', reason: `protected groups must have approval annotation "${APPROVED}", ${SEE}` };
  if (value.startsWith('unapproved')) return { state: 'bypassed', reason: `not approved: ${JSON.stringify(value)}` };
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/]+/i.test(value)) return { state: 'approved', reason: `approved in ${value}` };
  return {
    state: 'invalid',
    reason: `protected groups must have approval annotation "${APPROVED}" with either a URL or a reason starting with "unapproved", ${SEE}`,
  };
}

function approvalErrors(definition: Definition, old: Definition | undefined): FieldError[] {
  if (!isProtected(definition.spec?.group ?? '')) return [];
  const { state, reason } = approval(definition);
  if (old && approval(old).state === state) return [];
  const at = `metadata.annotations[${APPROVED}]`;
  if (state === 'invalid') return [invalid(at, definition.metadata.annotations?.[APPROVED], reason)];
  return state === 'missing' ? [required(at, reason)] : [];
}
