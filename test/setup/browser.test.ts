import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeInBrowser, findChromium, launchBrowser } from '../support/chromium.js';
import { closeAfterFile } from '../support/closing.js';

describeInBrowser('the browser of the tests', () => {
  it('is real: it loads a page over HTTP, runs its script and keeps its cookie', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('Set-Cookie', 'seen=yes; HttpOnly');
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>no</title><script>document.title = `${6 * 7}`</script>');
    }).listen(0, '127.0.0.1');
    closeAfterFile(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;

    const page = await (await launchBrowser())!.newPage();
    await page.goto(`http://127.0.0.1:${port}/`);
    expect(await page.title()).toBe('42');
    expect(await page.context().cookies()).toMatchObject([{ name: 'seen', value: 'yes', httpOnly: true }]);
  });
});

describe('where there is no browser', () => {
  const environment = { ...process.env };
  afterEach(() => {
    process.env = { ...environment };
  });

  it('takes the browser that CHROMIUM_PATH names', () => {
    process.env['CHROMIUM_PATH'] = '/opt/browser';
    expect(findChromium()).toBe('/opt/browser');
  });

  it('fails on a CHROMIUM_PATH that is wrong, rather than skip', async () => {
    process.env['CHROMIUM_PATH'] = '/no/such/browser';
    await expect(launchBrowser()).rejects.toThrow('/no/such/browser');
  });
});
