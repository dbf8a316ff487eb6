"""What a program does with the official Elasticsearch client for Python; see journey.js."""

import os

from elasticsearch import ApiError, Elasticsearch, helpers

JOB, INDEX = "journey-python", "rides-python"
SPAN_S, START_MS, BUCKETS = 300, 1748822400000, 288
STRANGE = 270  # the bucket in which one host is slow


def connect(**auth):
    return Elasticsearch(os.environ["BLIP_URL"], ca_certs=os.environ["BLIP_CA"], **auth)


def user(name, password=None):
    return connect(basic_auth=(name, password or os.environ["BLIP_PASSWORD"]))


def refused(status, call, **parameters):
    try:
        call(**parameters)
    except ApiError as error:
        assert error.meta.status == status, error
        return
    raise AssertionError(f"{call.__name__} was not refused")


def rows():
    """A value a minute and host; the noise is the same in every run."""
    state = 42
    for minute in range(BUCKETS * SPAN_S // 60):
        for host in "abc":
            state = (state * 1103515245 + 12345) % 2147483648
            slow = 400 if host == "b" and minute // 5 == STRANGE else 0
            yield {"time": START_MS + minute * 60000, "host": host, "took": 100 + (state % 1000) / 100 + slow}


def write_documents(client):
    client.indices.create(index=INDEX, mappings={"properties": {
        "time": {"type": "date"}, "host": {"type": "keyword"}, "took": {"type": "double"},
    }})
    written, errors = helpers.bulk(client, ({"_index": INDEX, **row} for row in rows()))
    assert not errors and client.count(index=INDEX)["count"] == written
    found = client.search(index=INDEX, size=1, query={"range": {"took": {"gt": 300}}})
    assert found["hits"]["hits"][0]["_source"]["host"] == "b"


def run_job(client):
    made = client.ml.put_job(
        job_id=JOB,
        analysis_config={
            "bucket_span": "5m", "influencers": ["host"],
            "detectors": [{"function": "mean", "field_name": "took", "partition_field_name": "host"}],
        },
        data_description={"time_field": "time", "time_format": "epoch_ms"},
    )
    assert made["job_id"] == JOB
    assert client.ml.open_job(job_id=JOB)["opened"]
    data = list(rows())
    assert client.ml.post_data(job_id=JOB, data=data)["processed_record_count"] == len(data)
    assert client.ml.flush_job(job_id=JOB, calc_interim=True)["flushed"]
    assert client.ml.get_job_stats(job_id=JOB)["jobs"][0]["state"] == "opened"


def read_results(client):
    strange_ms = START_MS + STRANGE * SPAN_S * 1000
    worst = client.ml.get_buckets(job_id=JOB, sort="anomaly_score", desc=True, page={"from": 0, "size": 3})
    assert worst["count"] >= BUCKETS - 1 and len(worst["buckets"]) == 3
    assert worst["buckets"][0]["timestamp"] == strange_ms
    record = client.ml.get_records(job_id=JOB, sort="record_score", desc=True)["records"][0]
    assert (record["timestamp"], record["partition_field_value"]) == (strange_ms, "b")
    assert client.ml.get_influencers(job_id=JOB, desc=True)["influencers"][0]["influencer_field_value"] == "b"


def try_rights(admin):
    reader = user("reader")
    read_results(reader)
    refused(403, reader.ml.close_job, job_id=JOB)
    refused(403, reader.search, index=INDEX)
    refused(401, user("reader", "wrong").search, index=INDEX)
    made = admin.security.create_api_key(name=JOB, role_descriptors={
        "rides": {"indices": [{"names": [INDEX], "privileges": ["read"]}]},
    })
    keyed = connect(api_key=made["encoded"])
    assert keyed.security.authenticate()["username"] == "admin"
    assert keyed.search(index=INDEX)["hits"]["hits"]
    refused(403, keyed.ml.get_buckets, job_id=JOB)
    assert admin.security.get_api_key(id=made["id"])["api_keys"][0]["name"] == JOB
    assert admin.security.invalidate_api_key(ids=[made["id"]])["invalidated_api_keys"] == [made["id"]]
    refused(401, keyed.search, index=INDEX)


def end(client):
    assert client.ml.close_job(job_id=JOB)["closed"]
    read_results(client)
    assert client.ml.delete_job(job_id=JOB)["acknowledged"]
    refused(404, client.ml.get_jobs, job_id=JOB)
    client.indices.delete(index=INDEX)


def main():
    admin = user("admin")
    assert admin.info()["tagline"] == "You Know, for Search"
    write_documents(admin)
    run_job(admin)
    read_results(admin)
    try_rights(admin)
    end(admin)
    print("elasticsearch for Python: the whole journey")


main()
