"""kafka-python, which shares no code with other clients, against the broker whose bootstrap servers are the first argument."""
import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.structs import OffsetAndMetadata

servers = sys.argv[1]
admin = KafkaAdminClient(bootstrap_servers=servers)
admin.create_topics([NewTopic("events", 2, 1), NewTopic("results", 1, 1)])
assert {"events", "results"} <= set(admin.list_topics())

# Keys, headers and times, plain and packed, by idempotent producers.
for codec in [None, "gzip"]:
    producer = KafkaProducer(bootstrap_servers=servers, compression_type=codec, enable_idempotence=True)
    for number in range(200):
        producer.send("events", f"{codec} {number}".encode(), key=str(number).encode(), headers=[("codec", str(codec).encode())],
                      timestamp_ms=1_700_000_000_000 + number)
    producer.flush(30)
    producer.close()


def read(reader, count):
    records = []
    while len(records) < count:
        more = [record for batch in reader.poll(timeout_ms=30_000).values() for record in batch]
        assert more, f"{len(records)} of {count} came"
        records += more
    assert not reader.poll(timeout_ms=300)
    return records


# A group reads them, commits, and begins where it stopped.
def group():
    return KafkaConsumer("events", bootstrap_servers=servers, group_id="g", auto_offset_reset="earliest", enable_auto_commit=False,
                         session_timeout_ms=6000)


first = group()
records = read(first, 400)
assert sorted(r.value.decode() for r in records) == sorted(f"{c} {n}" for c in (None, "gzip") for n in range(200))
assert all(r.headers == [("codec", r.value.split()[0])] for r in records)
assert all(r.timestamp == 1_700_000_000_000 + int(r.key) for r in records)
first.commit()
first.close()
second = group()
assert not second.poll(timeout_ms=3_000)
partitions = [TopicPartition("events", p) for p in (0, 1)]
assert sum(second.committed(p) for p in partitions) == 400
by_time = second.offsets_for_times({p: 1_700_000_000_100 for p in partitions})
assert all(0 <= found.offset < second.end_offsets([p])[p] for p, found in by_time.items())
second.close()

# Transactions with offsets: an aborted one, then a committed one.
writer = KafkaProducer(bootstrap_servers=servers, transactional_id="writer")
writer.init_transactions()
for outcome in ["abort", "commit"]:
    writer.begin_transaction()
    for number in range(50):
        writer.send("results", f"{outcome} {number}".encode())
    writer.send_offsets_to_transaction({partitions[0]: OffsetAndMetadata(7 if outcome == "abort" else 9, "", -1)}, "other")
    writer.abort_transaction() if outcome == "abort" else writer.commit_transaction()
writer.close()
results = KafkaConsumer(bootstrap_servers=servers, isolation_level="read_committed", group_id="other", enable_auto_commit=False)
assert results.committed(partitions[0]) == 9
results.assign([TopicPartition("results", 0)])
results.seek_to_beginning()
assert [r.value.decode() for r in read(results, 50)] == [f"commit {n}" for n in range(50)]
results.close()

admin.delete_topics(["events", "results"])
admin.close()
print("all is well")
