"""confluent-kafka (librdkafka) against the broker whose bootstrap servers are the first argument."""
import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition, ConsumerGroupTopicPartitions, IsolationLevel
from confluent_kafka.admin import AdminClient, ConfigResource, AlterConfigOpType, ConfigEntry, NewPartitions, NewTopic, OffsetSpec

servers = {"bootstrap.servers": sys.argv[1]}
admin = AdminClient(servers)


def done(futures):
    return {key: future.result(30) for key, future in futures.items()}


def consumer(group, **settings):
    return Consumer({**servers, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
                     "session.timeout.ms": 6000, "enable.partition.eof": True, **settings})


def read(reader, count):
    """`count` records, and then the end of every partition that had them."""
    records, ends = [], 0
    while len(records) < count or ends == 0:
        message = reader.poll(30)
        assert message is not None, f"{len(records)} of {count} came"
        if message.error():
            ends += 1
        else:
            records.append(message)
    assert len(records) == count, records
    return records


# Topics created, grown, configured, described.
done(admin.create_topics([NewTopic("orders", 2, 1, config={"retention.ms": "-1"}), NewTopic("copies", 1, 1)]))
done(admin.create_partitions([NewPartitions("orders", 3)]))
resource = ConfigResource(ConfigResource.Type.TOPIC, "orders")
resource.add_incremental_config(ConfigEntry("max.message.bytes", "500000", incremental_operation=AlterConfigOpType.SET))
done(admin.incremental_alter_configs([resource]))
described = done(admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, "orders")]))
values = next(iter(described.values()))
assert values["max.message.bytes"].value == "500000" and values["retention.ms"].value == "-1"
assert len(admin.list_topics("orders", 30).topics["orders"].partitions) == 3

# Every compression, headers, keys, timestamps.
codecs = ["none", "gzip", "snappy", "lz4", "zstd"]
for codec in codecs:
    producer = Producer({**servers, "compression.type": codec, "enable.idempotence": True})
    for number in range(100):
        producer.produce("orders", f"{codec} {number}" * 5, key=codec, headers={"n": str(number)}, timestamp=1_700_000_000_000 + number)
    assert producer.flush(30) == 0

# Read in a group, written on in a transaction with the offsets; an aborted one leaves nothing.
source = consumer("copy")
source.subscribe(["orders"])
records = read(source, 100 * len(codecs))
for codec in codecs:
    of_codec = [r for r in records if r.key() == codec.encode()]
    assert [r.value().decode() for r in of_codec] == [f"{codec} {n}" * 5 for n in range(100)]
    assert [r.headers() for r in of_codec] == [[("n", str(n).encode())] for n in range(100)]
    assert [r.timestamp()[1] for r in of_codec] == [1_700_000_000_000 + n for n in range(100)]
writer = Producer({**servers, "transactional.id": "copier"})
writer.init_transactions(30)
for outcome in ["abort", "commit"]:
    writer.begin_transaction()
    for record in records:
        writer.produce("copies", f"{outcome} {record.key().decode()}")
    assert writer.flush(30) == 0
    writer.send_offsets_to_transaction(source.position(source.assignment()), source.consumer_group_metadata(), 30)
    writer.abort_transaction(30) if outcome == "abort" else writer.commit_transaction(30)
offsets = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("copy")])["copy"].result(30).topic_partitions
assert sum(o.offset for o in offsets if o.offset > 0) == 500, offsets
copies = consumer("check", **{"isolation.level": "read_committed"})
copies.assign([TopicPartition("copies", 0, 0)])
assert {r.value().decode().split()[0] for r in read(copies, 500)} == {"commit"}
uncommitted = consumer("check", **{"isolation.level": "read_uncommitted"})
uncommitted.assign([TopicPartition("copies", 0, 0)])
read(uncommitted, 1000)

# A second incarnation fences the first.
second = Producer({**servers, "transactional.id": "copier"})
second.init_transactions(30)
try:
    writer.begin_transaction()
    writer.produce("copies", "late")
    writer.commit_transaction(30)
    raise AssertionError("the first incarnation is not fenced")
except KafkaException as error:
    assert error.args[0].fatal() or error.args[0].txn_requires_abort(), error

# Groups listed, described, deleted; records deleted; offsets by time.
assert {"copy"} <= {g.group_id for g in admin.list_consumer_groups().result(30).valid}
assert len(admin.describe_consumer_groups(["copy"])["copy"].result(30).members) == 1
source.close()
done(admin.delete_consumer_groups(["copy"]))
partition = next(r.partition() for r in records if r.key() == b"none")
end = TopicPartition("orders", partition, 10)
assert done(admin.delete_records([end]))[end].low_watermark == 10
spec = {TopicPartition("orders", partition): OffsetSpec.for_timestamp(1_700_000_000_000)}
found = next(iter(admin.list_offsets(spec, isolation_level=IsolationLevel.READ_COMMITTED).values())).result(30)
assert found.offset >= 10, found
done(admin.delete_topics(["orders", "copies"]))
print("all is well")
