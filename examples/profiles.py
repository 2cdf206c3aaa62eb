"""A small report that crashes three times: bob has no profile, no e-mail, and odd visits."""

USERS = {
    "ada": {"profile": {"bio": "Mathematician"}, "visits": "12", "email": "ada@example.org"},
    "bob": {"profile": None, "visits": "seven"},
}


class Profile:
    def __init__(self, data):
        self.bio = data["bio"]


def find_profile(name):
    data = USERS[name]["profile"]
    return Profile(data) if data else None


def get_bio(name):
    profile = find_profile(name)
    return profile.bio


def get_visits(name):
    return int(USERS[name]["visits"])


def get_email(name):
    user = USERS[name]
    return "<" + user["email"] + ">"


def main():
    for name in USERS:
        print("Hello,", name)
        print("  bio:", get_bio(name))
        print("  visits:", get_visits(name))
        print("  e-mail:", get_email(name))
    print("Done, nobody was left out.")


main()
