/** The language service for YAML, off the page's thread; it also fetches the schema. */
import 'monaco-yaml/yaml.worker.js';
