import tseslint from 'typescript-eslint';
import importX from 'eslint-plugin-import-x';

// Which rooms a room may import. `lib` is open to all; what is not listed here is closed.
const rooms = {
  lib: [],
  flows: [],
  routing: ['flows'],
  agents: ['routing'],
  calls: ['routing', 'agents', 'flows'],
  dispatch: ['routing', 'agents', 'calls', 'flows'],
  store: ['routing', 'agents', 'calls', 'flows', 'dispatch', 'config'],
  config: ['store', 'routing', 'flows'],
  signaling: ['routing', 'agents', 'calls', 'flows', 'dispatch', 'config', 'media'],
  media: ['routing', 'agents', 'calls', 'flows', 'dispatch', 'config'],
  presence: ['routing', 'agents', 'calls', 'dispatch', 'store', 'config'],
  reports: ['store'],
  simulation: ['routing', 'config', 'store'],
  http: ['store', 'config'],
  doctor: ['store', 'config', 'signaling', 'presence'],
  cli: ['store', 'config', 'routing', 'flows', 'simulation', 'embedded', 'doctor'],
  embedded: [],
};

const zones = Object.entries(rooms).map(([room, allowed]) => ({
  target: `./src/${room}`,
  from: './src',
  except: [...new Set(['lib', room, ...allowed])].map((r) => `./${r}`),
  message: `src/${room}/ may import only: lib, ${[room, ...allowed].join(', ')}`,
}));

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.sidekick/', 'coverage/', '**/*.js', '**/*.mjs'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver': { node: { extensions: ['.ts', '.js'] } } },
    rules: {
      curly: ['error', 'all'],
      'no-console': 'error',
      'max-lines': ['error', { max: 450, skipBlankLines: true, skipComments: true }],
      'import-x/no-restricted-paths': ['error', { zones }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
  },
  {
    // A command's module is loaded when the command runs; `import()` of a relative path would have to name the compiled file.
    files: ['src/cli/program/*.ts'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
);
