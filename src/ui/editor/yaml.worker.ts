/** The language service for YAML, off the page's thread; it also fetches the schema. */
import 'monaco-yaml/yaml.worker.js';

interface SchemaNode {
  type?: string | readonly string[];
  readonly allOf?: readonly SchemaNode[];
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly definitions?: Readonly<Record<string, SchemaNode>>;
}

/**
 * Completion writes `key:` only for a property whose own type it sees, and looks no further than the property; a
 * property that refers to a definition (`strategy`) would be completed without its colon. So each is told its type.
 */
function tellTypes(schema: SchemaNode): SchemaNode {
  for (const definition of Object.values(schema.definitions ?? {})) {
    for (const property of Object.values(definition.properties ?? {})) {
      const reference = property.allOf?.[0]?.$ref?.split('/').pop();
      const type = reference === undefined ? undefined : schema.definitions?.[reference]?.type;
      if (property.type === undefined && type !== undefined) property.type = type;
    }
  }
  return schema;
}

const fetchAny = self.fetch.bind(self);
self.fetch = async (...request: Parameters<typeof fetch>): Promise<Response> => {
  const response = await fetchAny(...request);
  if (!response.ok || !response.url.endsWith('/k8s.gen.json')) return response;
  return new Response(JSON.stringify(tellTypes((await response.json()) as SchemaNode)));
};
