import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { transformSync } from 'esbuild';
import { projectWithPackage, runNode } from '../support/installed-package.js';
import { codeBlocks, pageAt } from '../support/markdown.js';

jest.setTimeout(120_000); // it starts programs, on a machine that may be busy

describe('docs/accounts.md', () => {
  it('shows a test of user stores that passes', () => {
    const suite = codeBlocks(pageAt('docs/accounts.md')).find(({ code }) => code.includes('describeUserStore('))!;
    const project = projectWithPackage({ kinds: ['esm'] });
    writeFileSync(path.join(project, 'suite.mjs'), transformSync(suite.code, { loader: 'ts' }).code);
    expect(runNode(['--test', '--test-reporter=tap', 'suite.mjs'], project)).toMatch(/^# fail 0$/m);
  });
});
