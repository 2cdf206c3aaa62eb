"""What is healed and what is left alone: this program handles some of its errors itself."""

import json

ORDERS = '[{"item": "tea", "count": "3"}, {"item": "cups", "count": "two"}, {"item": null}]'


def settings():
    with open("no-such-settings.ini") as file:
        return file.read().split()


def count(order):
    try:
        return int(order["count"])
    except ValueError:
        print("  (this program's own handler: a bad count is 1)")
        return 1


def average(total, orders):
    return total / len(orders)


def main():
    print("settings:", settings())
    total = 0
    for order in json.loads(ORDERS):
        print("order:", order["item"])
        total += count(order)
    print("total:", total)
    print("average of nothing:", average(total, []))


main()
