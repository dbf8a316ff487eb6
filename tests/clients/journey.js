// What a program does with an official Elasticsearch client for JavaScript, from its first document
// to the deletion of a job: node journey.js MAJOR, with BLIP_URL, BLIP_CA and BLIP_PASSWORD.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");

// Debian 12's Node.js keeps this elsewhere; the newest client looks for it here.
globalThis.File ??= require("node:buffer").File;

const major = Number(process.argv[2]);
const { Client, errors } = require(`elasticsearch${major}`);

const JOB = `journey-${major}`;
const INDEX = `rides-${major}`;
const SPAN_S = 300;
const START_MS = Date.UTC(2025, 5, 2);
const BUCKETS = 288;
const STRANGE = 270; // the bucket in which one host is slow

const tls = { ca: fs.readFileSync(process.env.BLIP_CA) };
function connect(auth) {
  const node = process.env.BLIP_URL;
  return new Client(major === 7 ? { node, auth, ssl: tls } : { node, auth, tls });
}

const as = (username) => connect({ username, password: process.env.BLIP_PASSWORD });

// Version 7 has bodies apart from parameters, and answers around bodies.
async function call(client, name, parameters = {}, body = undefined) {
  const [space, method] = name.split(".");
  const target = method ? client[space] : client;
  const sent = major === 7 ? { ...parameters, body } : { ...parameters, ...body };
  const answer = await target[method ?? space](sent);
  return major === 7 ? answer.body : answer;
}

async function refused(status, promise) {
  const error = await promise.then(() => assert.fail("it was not refused"), (e) => e);
  assert(error instanceof errors.ResponseError, String(error));
  assert.equal(error.statusCode, status);
}

// A value a minute and host; the noise is the same in every run.
function* rows() {
  let state = 42;
  for (let minute = 0; minute < (BUCKETS * SPAN_S) / 60; minute++) {
    for (const host of ["a", "b", "c"]) {
      state = (state * 1103515245 + 12345) % 2147483648;
      const slow = host === "b" && Math.floor(minute / 5) === STRANGE ? 400 : 0;
      yield { time: START_MS + minute * 60000, host, took: 100 + (state % 1000) / 100 + slow };
    }
  }
}

async function documents(client) {
  await call(client, "indices.create", { index: INDEX }, {
    mappings: { properties: { time: { type: "date" }, host: { type: "keyword" }, took: { type: "double" } } },
  });
  const operations = [...rows()].flatMap((row) => [{ index: { _index: INDEX } }, row]);
  const written = await (major === 7
    ? client.bulk({ refresh: true, body: operations }).then((answer) => answer.body)
    : client.bulk({ refresh: true, operations }));
  assert.equal(written.errors, false);
  assert.equal((await call(client, "count", { index: INDEX })).count, operations.length / 2);
  const found = await call(client, "search", { index: INDEX }, {
    size: 1, query: { range: { took: { gt: 300 } } }, sort: [{ time: "asc" }],
  });
  assert.equal(found.hits.hits[0]._source.host, "b");
}

async function job(client) {
  const made = await call(client, "ml.putJob", { job_id: JOB }, {
    analysis_config: {
      bucket_span: "5m", influencers: ["host"],
      detectors: [{ function: "mean", field_name: "took", partition_field_name: "host" }],
    },
    data_description: { time_field: "time", time_format: "epoch_ms" },
  });
  assert.equal(made.job_id, JOB);
  assert.equal((await call(client, "ml.openJob", { job_id: JOB })).opened, true);

  const data = [...rows()];
  const counts = await (major === 7
    ? client.ml.postData({ job_id: JOB, body: data.map((row) => JSON.stringify(row)).join("\n") + "\n" })
        .then((answer) => answer.body)
    : client.ml.postData({ job_id: JOB, data }));
  assert.equal(counts.processed_record_count, data.length);
  const flushed = await call(client, "ml.flushJob", { job_id: JOB }, { calc_interim: true });
  assert.equal(flushed.flushed, true);

  const stats = await call(client, "ml.getJobStats", { job_id: JOB });
  assert.equal(stats.jobs[0].state, "opened");
  assert.equal(stats.jobs[0].data_counts.processed_record_count, data.length);
}

async function results(client) {
  const strangeMs = START_MS + STRANGE * SPAN_S * 1000;
  const worst = await call(client, "ml.getBuckets", { job_id: JOB }, {
    sort: "anomaly_score", desc: true, page: { from: 0, size: 3 },
  });
  assert.ok(worst.count >= BUCKETS - 1, `${worst.count} buckets`);
  assert.equal(worst.buckets.length, 3);
  assert.equal(worst.buckets[0].timestamp, strangeMs);
  const one = await call(client, "ml.getBuckets", { job_id: JOB, timestamp: String(strangeMs) }, { expand: true });
  assert.equal(one.count, 1);
  assert.equal(one.buckets[0].records[0].partition_field_value, "b");

  const records = await call(client, "ml.getRecords", { job_id: JOB }, { sort: "record_score", desc: true });
  assert.equal(records.records[0].timestamp, strangeMs);
  assert.equal(records.records[0].partition_field_value, "b");
  const influencers = await call(client, "ml.getInfluencers", { job_id: JOB }, { desc: true });
  assert.equal(influencers.influencers[0].influencer_field_value, "b");
}

async function rights(admin) {
  const reader = as("reader");
  await results(reader);
  assert.equal((await call(reader, "search", { index: `.ml-anomalies-${JOB}` })).hits.total.value > 0, true);
  await refused(403, call(reader, "ml.closeJob", { job_id: JOB }));
  await refused(403, call(reader, "search", { index: INDEX }));
  await refused(401, call(connect({ username: "reader", password: "wrong" }), "search", { index: INDEX }));

  const made = await call(admin, "security.createApiKey", {}, {
    name: JOB, role_descriptors: { rides: { index: [{ names: [INDEX], privileges: ["read"] }] } },
  });
  const keyed = connect({ apiKey: { id: made.id, api_key: made.api_key } });
  const who = await call(keyed, "security.authenticate");
  assert.equal(who.username, "admin");
  assert.ok((await call(keyed, "search", { index: INDEX })).hits.hits.length > 0);
  await refused(403, call(keyed, "ml.getBuckets", { job_id: JOB }));
  const listed = await call(admin, "security.getApiKey", { id: made.id });
  assert.equal(listed.api_keys[0].name, JOB);
  const ended = await call(admin, "security.invalidateApiKey", {}, { ids: [made.id] });
  assert.deepEqual(ended.invalidated_api_keys, [made.id]);
  await refused(401, call(keyed, "search", { index: INDEX }));
}

async function end(client) {
  assert.equal((await call(client, "ml.closeJob", { job_id: JOB })).closed, true);
  await results(client);
  assert.equal((await call(client, "ml.deleteJob", { job_id: JOB })).acknowledged, true);
  await refused(404, call(client, "ml.getJobs", { job_id: JOB }));
  await call(client, "indices.delete", { index: INDEX });
}

async function main() {
  const admin = as("admin");
  assert.equal((await call(admin, "info")).tagline, "You Know, for Search");
  await documents(admin);
  await job(admin);
  await results(admin);
  await rights(admin);
  await end(admin);
  console.log(`@elastic/elasticsearch ${major}: the whole journey`);
}

main().catch((error) => {
  console.error(`@elastic/elasticsearch ${major}:`, error, JSON.stringify(error.meta?.body ?? null));
  process.exit(1);
});
