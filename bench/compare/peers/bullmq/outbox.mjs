// The peer of the outbox: takes a message into a BullMQ queue before it answers 202; a worker in a process of its own sends it under
// the job's id as idempotency key. Usage: node outbox.mjs PORT REDIS_PORT UPSTREAM KEY
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Agent, createServer, request as post } from 'node:http';
import { Queue, Worker } from 'bullmq';

const [port, redis, upstream, key, role] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(redis) };

function work() {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const send = job => new Promise((done, failed) => {
    const out = post(upstream + job.data.path, {
      method: 'POST', agent,
      headers: { authorization: `Bearer ${key}`, 'idempotency-key': job.id, 'content-type': 'application/json', 'content-length': Buffer.byteLength(job.data.body) },
    }, answer => {
      answer.resume();
      answer.on('end', () => answer.statusCode < 300 ? done({ status: answer.statusCode }) : failed(new Error(`status ${answer.statusCode}`)));
    });
    out.on('error', failed);
    out.end(job.data.body);
  });
  const worker = new Worker('outbox', send, { connection: { ...connection, maxRetriesPerRequest: null }, concurrency: 64 });
  worker.on('error', e => console.error(e.message));
}

function take() {
  const worker = fork(import.meta.filename, [...process.argv.slice(2, 6), 'worker']);
  process.on('SIGTERM', () => { worker.kill(); process.exit(0); });
  const queue = new Queue('outbox', {
    connection: { ...connection, maxRetriesPerRequest: 1 },
    defaultJobOptions: { removeOnComplete: { age: 86400 }, attempts: 10, backoff: { type: 'exponential', delay: 1000 } },
  });
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', part => parts.push(part));
    request.on('end', async () => {
      const id = randomUUID();
      try {
        await queue.add('send', { path: request.url, body: Buffer.concat(parts).toString() }, { jobId: id });
        response.writeHead(202, { location: `/outbox/${id}` }).end();
      } catch {
        response.writeHead(503).end();
      }
    });
  });
  server.keepAliveTimeout = 3_600_000;
  server.listen(Number(port), '127.0.0.1', 8192);
}

role === 'worker' ? work() : take();
