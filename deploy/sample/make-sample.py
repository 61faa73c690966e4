#!/usr/bin/env python3
"""Makes the sample orders of this folder from the originals.

usage: make-sample.py CDNOW_MASTER.txt.gz DEBEZIUM_FOLDER OUTPUT_FOLDER

Writes orders.tsv and change-events.tsv: a record a line, its key and its value with a tab between. An empty key or value
is none. The same originals give the same bytes. README.md says what is in them.
"""
import collections, datetime, gzip, json, pathlib, random, sys

START = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)
CUSTOMERS = 33, 4  # every 33rd customer, beginning with the 4th
CURRENCY = {"US": "USD", "EU": "EUR", "UK": "GBP", "CA": "CAD", "AU": "AUD", "BR": "USD"}
REGIONS = ["US"] * 12 + ["EU"] * 6 + ["UK"] * 5 + ["CA"] * 3 + ["AU"] * 3 + ["BR"]
STATUSES = ["confirmed"] * 5 + ["pending_payment", "shipped", "delivered", "cancelled"]
random = random.Random(19970101)


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    cdnow, debezium, output = (pathlib.Path(argument) for argument in sys.argv[1:])
    tally = collections.Counter()
    write(output / "orders.tsv", orders(cdnow, tally))
    write(output / "change-events.tsv", change_events(debezium, tally))
    print(json.dumps(tally, indent=1), file=sys.stderr)


def write(path: pathlib.Path, records: list[tuple[str, bytes]]) -> None:
    for key, value in records:
        assert b"\n" not in value and b"\t" not in value and "\t" not in key
    path.write_bytes(b"".join(key.encode() + b"\t" + value + b"\n" for key, value in records))


# --- Orders: purchases of CDs, a day of 1997 and 1998 a minute of the sample ---


def orders(path: pathlib.Path, tally: collections.Counter) -> list[tuple[str, bytes]]:
    purchases = []
    with gzip.open(path, "rt") as lines:
        next(lines)
        for line in lines:
            if not line.strip():
                continue
            customer, day, discs, dollars = line.split()
            if int(customer) % CUSTOMERS[0] == CUSTOMERS[1]:
                date = datetime.date(int(day[:4]), int(day[4:6]), int(day[6:]))
                minute = (date - datetime.date(1997, 1, 1)).days
                purchases.append((minute, random.random(), customer, int(discs), dollars))
    purchases.sort()
    records = []
    for number, (minute, fraction, customer, discs, dollars) in enumerate(purchases, 1):
        moment = START + datetime.timedelta(minutes=minute, milliseconds=int(fraction * 60_000))
        records.append((moment, order(number, customer, dollars, moment, discs)))
    tally["purchases"] = len(records)
    # An invented customer's twelve orders within half a minute.
    for number in range(12):
        moment = START + datetime.timedelta(minutes=200, seconds=2 * number)
        records.append((moment, order(90_000 + number, "33333", f"{9 + number}.50", moment, 1)))
    tally["burst"] = 12
    arrivals = []  # when it arrives, key, value
    for moment, fields in records:
        arrivals.append((moment, fields["order_id"], encode(fields)))
    settled = [entry for entry in arrivals if entry[0] < START + datetime.timedelta(minutes=480)]
    for index in random.sample(range(len(settled)), 25):
        moment, key, value = arrivals[index]
        arrivals[index] = (moment + datetime.timedelta(minutes=random.uniform(25, 45)), key, value)
        tally["late"] += 1
    for moment, key, value in random.sample(settled, 30):
        arrivals.append((moment + datetime.timedelta(minutes=random.uniform(0.1, 60)), key, value))
        tally["duplicates"] += 1
    by_number = {fields["order_id"]: fields for _, fields in records}
    for number, (moment, key, _) in enumerate(random.sample(settled, 44)):
        fields = dict(by_number[key], order_id=f"ORD-20260601-{80_000 + number:06d}")
        kind = list(SPOIL)[number % len(SPOIL)]
        arrivals.append((moment, fields["order_id"], SPOIL[kind](fields)))
        tally["bad: " + kind] += 1
    arrivals.sort(key=lambda entry: entry[0])
    return [(key, value) for _, key, value in arrivals]


def order(number: int, customer: str, dollars: str, moment: datetime.datetime, discs: int) -> dict:
    region = REGIONS[int(customer) * 7919 % len(REGIONS)]
    return {
        "order_id": f"ORD-20260601-{number:06d}",
        "customer_id": f"CUST-{region}-{customer}",
        "amount": dollars,
        "currency": CURRENCY[region],
        "status": STATUSES[(number * 31 + int(customer)) % len(STATUSES)],
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        "items_count": discs,
    }


def encode(fields: dict) -> bytes:
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


def without(fields: dict, name: str) -> dict:
    return {key: value for key, value in fields.items() if key != name}


# What a validator must refuse; the first five are not even JSON objects.
SPOIL = {
    "cut off": lambda o: encode(o)[:-25],
    "not JSON": lambda o: b"order " + encode(o)[1:],
    "key twice": lambda o: encode(o)[:-1] + b',"amount":"0.01"}',
    "not UTF-8": lambda o: encode(dict(o, status="exp\u00e9di\u00e9")).decode().encode("latin-1"),
    "nothing": lambda o: b"",
    "field missing": lambda o: encode(without(o, random.choice(list(o)[1:]))),
    "field null": lambda o: encode(dict(o, customer_id=None)),
    "wrong type": lambda o: encode(dict(o, amount=[o["amount"]])),
    "amount no number": lambda o: encode(dict(o, amount="N/A")),
    "no offset": lambda o: encode(dict(o, timestamp=o["timestamp"][:-1])),
    "no such day": lambda o: encode(dict(o, timestamp="2026-02-30T12:00:00Z")),
    "half a disc": lambda o: encode(dict(o, items_count=0.5)),
    "all wrong": lambda o: encode(dict(o, amount="-1", currency="ZZZ", status="lost", items_count=0)),
    "negative": lambda o: encode(dict(o, amount="-" + o["amount"])),
    "too much": lambda o: encode(dict(o, amount="1000000.00")),
    "no such currency": lambda o: encode(dict(o, currency="XYZ")),
    "currency in lower case": lambda o: encode(dict(o, currency=o["currency"].lower())),
    "no such status": lambda o: encode(dict(o, status="unknown")),
}


# --- Change events: what Debezium wrote of a real PostgreSQL ---


def change_events(folder: pathlib.Path, tally: collections.Counter) -> list[tuple[str, bytes]]:
    """Changes of orders made from 09:30 on, and among them one of each odd kind."""
    after_orders = (START + datetime.timedelta(hours=9, minutes=30)).isoformat()[:19]
    events = []
    begun = False
    for key, value, envelope in debezium(folder / "large_precise_noschema.ndjson.gz"):
        row = envelope and (envelope["after"] or {})
        begun = begun or bool(row and row["created_at"] >= after_orders and envelope["op"] == "c")
        if begun:
            events.append((key, value))
            tally["change events: " + (envelope["op"] if envelope else "tombstone")] += 1
        if len(events) == 400:
            break
    odd = ["ORD-NULLS", "NUM-NEG", "NUM-ZERO", "NUM-MAX", "TS-INF", "TS-BC", "ORD-100001"]
    position = 50
    follows_delete = False
    for key, value, envelope in debezium(folder / "precise_noschema.ndjson.gz"):
        name = envelope and (envelope["after"] or {}).get("order_id", "")
        deletes = bool(envelope) and envelope["op"] == "d" and key == '{"id":7}'
        if deletes or follows_delete or (name and (name in odd or name.startswith("ORD-\u00fc"))):
            events.insert(position, (key, value))
            position += 20
            tally["odd change events"] += 1
        follows_delete = deletes
    return events


def debezium(path: pathlib.Path):
    with gzip.open(path, "rt") as lines:
        for line in lines:
            record = json.loads(line)
            if record["topic"] == "dbserver1.public.orders" and record["key"]:
                value = record["value"]
                yield record["key"], (value or "").encode(), json.loads(value) if value else None


if __name__ == "__main__":
    main()
