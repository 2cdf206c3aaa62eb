"""Small programs that do not crash, each heavy in one kind of site.

Every function takes nothing and returns something that depends on all of its work. The module is
compiled twice, plain and armed, and both are timed in turn.
"""


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def moved(self, by):
        return Point(self.x + by.x, self.y + by.y)

    @property
    def size(self):
        return self.x * self.x + self.y * self.y


def attributes():
    point, step = Point(0, 0), Point(1, 2)
    total = 0
    for _ in range(2_000):
        point = point.moved(step)
        total += point.size
    return total


def subscripts():
    table = {str(number): [number, number * 2] for number in range(300)}
    total = 0
    for _ in range(10):
        for key in table:
            row = table[key]
            total += row[0] + row[1]
            row[0] = total % 1000
    return total


def arithmetic():
    a, b = 1.0, 1.0
    for number in range(1, 6_000):
        a, b = a / number + b * 0.5, (a - b) / (number + 1.0)
    return a


def fibonacci(n=17):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def calls():
    return fibonacci()


def strings():
    words = []
    for number in range(1_200):
        words.append(f"{number:04d}-{number * 7 % 13}".upper().replace("-", ":"))
    return len("".join(sorted(words)))


def comprehensions():
    rows = [[x * y for x in range(30)] for y in range(60)]
    flat = {value % 17: value for row in rows for value in row if value % 3}
    return sum(flat.values()) + sum(x for row in rows for x in row)


def pairs(limit):
    for a in range(limit):
        for b in range(20):
            yield a, b


def generators():
    total = 0
    for a, b in pairs(150):
        total += a ^ b
    return total


def parse(text):
    try:
        return int(text)
    except ValueError:
        return -1


def handled_exceptions():
    table = {"a": 1}
    total = 0
    for number in range(400):
        total += parse("12" if number % 2 else "x")
        try:
            total += table["b"]
        except KeyError:
            total += 1
    return total


def first(table, key):
    return table[key]


def second(table, key):
    return first(table, key) + 1


def third(table, key):
    return second(table, key) + 1


def exceptions_three_frames_up():
    table = {}
    total = 0
    for _ in range(400):
        try:
            third(table, "k")
        except KeyError:
            total += 1
    return total


NO_CRASH = (
    attributes, subscripts, arithmetic, calls, strings, comprehensions, generators,
)
HANDLED = (handled_exceptions, exceptions_three_frames_up)
