import tseslint from 'typescript-eslint'

const rules = {
  eqeqeq: 'error',
  // tap itself waits for its subtests and reports how each one ended.
  '@typescript-eslint/no-floating-promises': [
    'error',
    {
      allowForKnownSafePromises: [
        { from: 'package', name: 'PromiseWithSubtest', package: '@tapjs/core' }
      ]
    }
  ],
  'no-console': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': [
    'error',
    { considerDefaultExhaustiveForUnions: true }
  ],
  // A number in a message is the normal case here: ports, priorities, milliseconds.
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }]
}

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.tap/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname }
    },
    rules
  },
  {
    // The page of the admin API: JavaScript for browsers, with its types in comments.
    files: ['src/admin/page/*.js'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.page.json', tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      ...rules,
      // These do not see the casts in comments; the compiler does.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off'
    }
  }
)
