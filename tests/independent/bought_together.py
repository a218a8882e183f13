#!/usr/bin/env python3
"""Counts what was bought together straight from the Online Retail CSV, and compares the engine's.

Written apart from the engine, with Python's standard library alone: it shares the rules in this
text with `tillroll import orders FILE --format online-retail`, and no code.

    bought_together.py FILE.csv[.gz]                  prints a summary of the baskets and pairs
    bought_together.py FILE.csv[.gz] --dump TABLE     compares every count with the engine's table
    bought_together.py FILE.csv[.gz] --json           the summary as JSON

TABLE is NDJSON, each pair once, in either of two forms (`-` reads standard input):

    {"a": PRODUCT_ID, "b": PRODUCT_ID, "orders": COUNT}

    {"products": [PRODUCT_ID, ...]}                                       first line
    {"product": INDEX, "orders": COUNT, "together": [[INDEX, COUNT], ...]}  INDEX into products

Exit code: 0 if all agree, 1 if not, 2 if something could not be read.

The rules, as far as baskets depend on them:

 1. An invoice is a number without a letter. A row of it with a positive quantity and a price of 0
    or more is a line of its order, whatever the code, the price or the customer. `C` before the
    number is a cancellation; `A` is no trade. Letter case in codes means nothing.
 2. Invoices go in the order of their first rows' times, those of one minute in file order.
 3. A cancelled row (negative quantity) of a customer takes back units of earlier lines of that
    customer with that code: first lines at the same price, then the others, in both the latest
    order first and in an order the last line first; never more than the line has left. Codes in
    SERVICES are taken back at the same price only.
 4. A product is in an order's basket while units of it are left. An order without units left has
    no basket. Two products in one basket are bought together once.
 5. A product's id: UUID version 7, time from the code's first row, the other bits from SHA-256 of
    "product", a zero byte and the code in upper case.
"""

import argparse
import collections
import csv
import datetime
import gzip
import hashlib
import itertools
import json
import sys
import uuid

SERVICES = {"POST", "DOT", "C2", "M", "D", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "B"}
SHOWN_MAX = 10


def rows_of(path):
    """(invoice, code, quantity, time, price in thousandths, customer) for each row of the file."""
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    opened = gzip.open if packed else open
    with opened(path, "rt", encoding="utf-8", errors="replace", newline="") as text:
        reader = csv.reader(text)
        next(reader)
        for row in reader:
            whole, _, part = row[5].strip().lstrip("-").partition(".")
            price = int(whole) * 1000 + int(part.ljust(3, "0"))
            if row[5].strip().startswith("-"):
                price = -price
            customer = row[6].strip().removesuffix(".0")
            yield row[0].strip(), row[1].strip().upper(), int(row[3]), row[4].strip(), price, customer


def invoices_of(path, most=None):
    """Invoices in the order of rule 2, and the time of each code's first row."""
    invoices, first_seen = {}, {}
    for number, code, quantity, time, price, customer in rows_of(path):
        first_seen.setdefault(code, time)
        invoices.setdefault(number, (time, customer, []))[2].append((code, quantity, price))
    ordered = sorted(invoices.items(), key=lambda invoice: invoice[1][0])
    return ordered[:most], first_seen


def baskets_of(invoices):
    """The codes left in each order."""
    lines = {}  # invoice -> [code, units left] of each line
    bought = collections.defaultdict(list)  # (customer, code) -> (price, line) in time order
    for number, (_, customer, rows) in invoices:
        if number[0] == "A":
            continue
        if number[0] != "C":
            for code, quantity, price in rows:
                if quantity > 0 and price >= 0:
                    line = [code, quantity]
                    lines.setdefault(number, []).append(line)
                    if customer:
                        bought[customer, code].append((price, line))
            continue
        for code, quantity, price in rows:
            if not customer or quantity >= 0 or price < 0:
                continue
            missing = -quantity
            earlier = bought.get((customer, code), [])
            for same_price in (True,) if code in SERVICES else (True, False):
                for its_price, line in reversed(earlier):
                    if (its_price == price) == same_price:
                        taken = min(line[1], missing)
                        line[1] -= taken
                        missing -= taken
    baskets = ({code for code, left in of_order if left} for of_order in lines.values())
    return [basket for basket in baskets if basket]


def product_id(code, time):
    """Rule 5."""
    at = datetime.datetime.strptime(time, "%Y-%m-%d %H:%M:%S")
    milliseconds = int(at.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
    rest = hashlib.sha256(b"product\0" + code.encode()).digest()[:10]
    raw = bytearray(milliseconds.to_bytes(6, "big") + rest)
    raw[6] = raw[6] & 0x0F | 0x70
    raw[8] = raw[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def count(baskets, numbers):
    """Orders of each product, and of each pair as the lower number * len(numbers) + the higher."""
    orders, pairs, width = collections.Counter(), collections.Counter(), len(numbers)
    for basket in baskets:
        inside = sorted(numbers[code] for code in basket)
        orders.update(inside)
        pairs.update(a * width + b for a, b in itertools.combinations(inside, 2))
    return orders, pairs


def table_of(path):
    """(orders by product id or None, {(id, id): orders}) of a dump in either form."""
    orders, pairs, products = {}, {}, []
    with sys.stdin if path == "-" else open(path, encoding="utf-8") as text:
        for line in text:
            entry = json.loads(line)
            if "products" in entry:
                products = entry["products"]
            elif "product" in entry:
                one = products[entry["product"]]
                orders[one] = entry["orders"]
                for other, times in entry["together"]:
                    pairs[min(one, products[other]), max(one, products[other])] = times
            else:
                pairs[min(entry["a"], entry["b"]), max(entry["a"], entry["b"])] = entry["orders"]
    return orders, pairs


def compare(what, ours, theirs, name):
    """Prints the first differences; returns how many there are."""
    differences = 0
    for key in itertools.chain(ours, (key for key in theirs if key not in ours)):
        if ours.get(key, 0) != theirs.get(key, 0):
            differences += 1
            if differences <= SHOWN_MAX:
                here, there = ours.get(key, 0), theirs.get(key, 0)
                print(f"DIFFERS: {what} {name(key)}: {here} counted here, {there} in the table")
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--dump")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--invoices-max", type=int, help="only the first invoices, by time")
    arguments = parser.parse_args()
    try:
        invoices, first_seen = invoices_of(arguments.file, arguments.invoices_max)
        theirs = table_of(arguments.dump) if arguments.dump else None
    except (OSError, EOFError, ValueError, IndexError, KeyError) as error:
        print(f"cannot be read: {error}", file=sys.stderr)
        return 2
    baskets = baskets_of(invoices)
    codes = sorted(first_seen)
    numbers = {code: number for number, code in enumerate(codes)}
    orders, pairs = count(baskets, numbers)
    summary = {
        "baskets": len(baskets),
        "postings": sum(orders.values()),
        "products": len(orders),
        "pairs": len(pairs),
        "increments": sum(pairs.values()),
    }
    most = [
        {"a": codes[pair // len(codes)], "b": codes[pair % len(codes)], "orders": times}
        for pair, times in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:5]
    ]
    if arguments.json:
        print(json.dumps({**summary, "most": most}))
    else:
        print(", ".join(f"{value:,} {name}" for name, value in summary.items()))
        for pair in most:
            print(f"{pair['a']} with {pair['b']}: {pair['orders']:,}")
    if theirs is None:
        return 0
    ids = [product_id(code, first_seen[code]) for code in codes]
    code_of = dict(zip(ids, codes))
    their_orders, their_pairs = theirs
    ours = {}
    for pair, times in pairs.items():
        one, other = ids[pair // len(codes)], ids[pair % len(codes)]
        ours[min(one, other), max(one, other)] = times
    del pairs
    named = lambda pair: " with ".join(code_of.get(one, one) for one in pair)
    differences = compare("pair", ours, their_pairs, named)
    if their_orders:
        mine = {ids[number]: times for number, times in orders.items()}
        differences += compare("product", mine, their_orders, lambda one: code_of.get(one, one))
    print(f"{len(their_pairs):,} pairs compared, {differences:,} differ")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
