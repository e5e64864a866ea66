/** What `border.ts` brings in, in one piece. */
export { applyJsonPatch } from '../api/json-patch.ts';
export { parseYaml, YamlError } from '../api/yaml.ts';
export { discover } from './discovery.ts';
export { dressed } from './dress.ts';
export { duplicateFields } from './duplicates.ts';
export { withGoNulls } from './go-nulls.ts';
export { jsonErrorText } from './json-error.ts';
export { ownedByScaleApply, ownedByUpdate, withManagedFields } from './managed-fields/field-manager.ts';
export { applied, checkOptions, ignoringTimes } from './managed-fields/requests.ts';
export { OPENAPI_V2_TYPE, OpenApiV3, openApiV2, openApiV3Index } from './openapi.ts';
export { scalePrinter, tableFor } from './printers/printers.ts';
export { fromProtobuf } from './protobuf/decode.ts';
export { ofSameKind, patchRefusal, wrongKind } from './refusals.ts';
export { checkDeleteOptions, checkListOptions, checkWriteOptions } from './registry/options.ts';
export { decode, decodeError } from './validation/decode.ts';
export { invalidStatus, validate } from './validation/validate.ts';
