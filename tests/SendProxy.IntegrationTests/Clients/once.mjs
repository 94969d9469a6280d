// once.mjs CLIENT URL: one call with a vendor's own library, with its retries as shipped but quick. Prints how it ended.
// The libraries stand in the folder that CLIENTS names (eng/tools.sh).
import { createRequire } from 'node:module';
const require = createRequire(process.env.CLIENTS + '/package.json');
const [client, url] = process.argv.slice(2);
const calls = {
  openai: () => {
    const { OpenAI } = require('openai');
    return new OpenAI({ apiKey: 'none', baseURL: url + '/v1' }).chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] });
  },
  slack: () => {
    const { WebClient, LogLevel } = require('@slack/web-api');
    return new WebClient('none', { slackApiUrl: url + '/api/', retryConfig: { retries: 3, minTimeout: 1, maxTimeout: 5 }, logLevel: LogLevel.ERROR })
      .chat.postMessage({ channel: 'C1', text: 'Hello' });
  },
  stripe: () => {
    const { hostname, port } = new URL(url);
    const stripe = new (require('stripe'))('sk_test_none', { host: hostname, port, protocol: 'http', maxNetworkRetries: 2, telemetry: false });
    return stripe.customers.create({ name: 'Jenny' });
  },
  octokit: async () => {
    const { Octokit } = await import(process.env.CLIENTS + '/node_modules/@octokit/core/dist-src/index.js');
    const { retry } = await import(process.env.CLIENTS + '/node_modules/@octokit/plugin-retry/dist-bundle/index.js');
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    return new (Octokit.plugin(retry))({ auth: 'none', baseUrl: url, log, retry: { retryAfterBaseValue: 1 } }).request('POST /repos/o/r/issues', { title: 'Hello' });
  },
};
// A library that keeps its connections open would keep the process.
const end = line => process.stdout.write(line + '\n', () => process.exit(0));
try {
  await calls[client]();
  end('success');
} catch (e) {
  end('error: ' + (e.status ?? e.statusCode ?? e.code ?? '') + ' ' + String(e.message).split('\n')[0]);
}
