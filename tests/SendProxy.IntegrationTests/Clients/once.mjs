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
  // Its retries are off as shipped; here they are on.
  twilio: () => {
    const client = require('twilio')('AC' + '0'.repeat(32), 'none', { autoRetry: true, maxRetryDelay: 5 });
    client.api.baseUrl = url;
    return client.messages.create({ to: '+491701234567', from: '+491700000000', body: 'Hello' });
  },
  sendgrid: () => {
    const mail = require('@sendgrid/mail');
    mail.setApiKey('SG.none');
    mail.client.setDefaultRequest('baseUrl', url);
    return mail.send({ to: 'a@example.com', from: 'b@example.com', subject: 'Hello', text: 'Hello' });
  },
  resend: async () => {
    const { Resend } = require('resend');
    const { error } = await new Resend('re_none', { baseUrl: url }).emails.send({ to: 'a@example.com', from: 'b@example.com', subject: 'Hello', text: 'Hello' });
    if (error) throw new Error(JSON.stringify(error));
  },
  brevo: () => {
    const { BrevoClient } = require('@getbrevo/brevo');
    return new BrevoClient({ apiKey: 'none', baseUrl: url + '/v3' }).transactionalSms.sendTransacSms({ sender: 'Shop', recipient: '491701234567', content: 'Hello' });
  },
  postmark: () => {
    const { ServerClient } = require('postmark');
    return new ServerClient('none', { requestHost: new URL(url).host, useHttps: false }).sendEmail({ To: 'a@example.com', From: 'b@example.com', Subject: 'Hello', TextBody: 'Hello' });
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
