/** What `border.ts` brings in, in one piece. */
export { applyJsonPatch } from '../api/json-patch.ts';
export { parseYaml, YamlError } from '../api/yaml.ts';
export { discover } from './discovery.ts';
export { OPENAPI_V2_TYPE, OpenApiV3, openApiV2, openApiV3Index } from './openapi.ts';
export { tableFor } from './printers/printers.ts';
export { fromProtobuf } from './protobuf/decode.ts';
export { decode, decodeError } from './validation/decode.ts';
export { invalidStatus, validate } from './validation/validate.ts';
