"""The names, places and things that the corpus talks about."""

# Word lists read better as text.
# ruff: noqa: SIM905

from random import Random

NAMES = (
    "Ada Ann Anna Amir Ben Bella Bob Alice Carla Carlos Chloe Clara Dan Daniel David Diego Elena "
    "Ella Emil Emma Eva Felix Fatima Finn Frank Grace George Hana Hannah Henry Hugo Ida Ines Isaac "
    "Ivan Jack James Jane Jonas Julia Kai Karim Kate Kim Lara Laura Leo Lena Liam Lily Linus Lucas "
    "Lucy Maria Mark Marta Mary Max Maya Mia Mike Milo Mina Mohammed Nadia Nina Noah Nora Olga "
    "Oliver Omar Oscar Otto Paul Peter Petra Priya Rosa Ruth Sam Sara Sarah Sofia Simon Tim Tom "
    "Theo Tara Vera Victor Wei William Yuki Yusuf Zara Zoe Alan Grete Ravi Sven Ingrid"
).split()

SURNAMES = (
    "Smith Jones Brown Miller Garcia Lopez Rossi Weber Schmidt Fischer Meyer Novak Kim Lee Chen "
    "Patel Khan Silva Santos Martin Dubois Laurent Larsen Hansen Berg Lovelace Turing Hopper Ito "
    "Tanaka Okafor Mensah Ali Haddad Clark Baker King Wright Green Hill Young Walker"
).split()

CITIES = (
    "Paris London Berlin Rome Madrid Lisbon Vienna Prague Oslo Tokyo Cairo Delhi Lima Boston "
    "Chicago Toronto Sydney Dublin Athens Warsaw Zurich Munich Hamburg Milan Naples Seoul Bangkok "
    "Mumbai Nairobi Lagos Montreal Denver Seattle Austin Dallas Miami Geneva Brussels Copenhagen "
    "Helsinki Stockholm Budapest Istanbul Jakarta Manila Santiago Bogota Havana Kyoto Osaka Leeds "
    "Lyon Porto Turin Bremen Cologne Graz Basel"
).split()

CAPITALS = {
    "France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Spain": "Madrid",
    "Portugal": "Lisbon", "Austria": "Vienna", "Switzerland": "Bern", "Poland": "Warsaw",
    "Norway": "Oslo", "Sweden": "Stockholm", "Finland": "Helsinki", "Denmark": "Copenhagen",
    "Iceland": "Reykjavik", "Ireland": "Dublin", "Greece": "Athens", "Hungary": "Budapest",
    "the Czech Republic": "Prague", "Belgium": "Brussels", "the Netherlands": "Amsterdam",
    "Russia": "Moscow", "Ukraine": "Kyiv", "Turkey": "Ankara", "Egypt": "Cairo",
    "Kenya": "Nairobi", "Nigeria": "Abuja", "Morocco": "Rabat", "South Africa": "Pretoria",
    "China": "Beijing", "Japan": "Tokyo", "India": "New Delhi", "South Korea": "Seoul",
    "Thailand": "Bangkok", "Vietnam": "Hanoi", "Indonesia": "Jakarta", "Australia": "Canberra",
    "New Zealand": "Wellington", "Canada": "Ottawa", "the United States": "Washington, D.C.",
    "Mexico": "Mexico City", "Brazil": "Brasilia", "Argentina": "Buenos Aires", "Chile": "Santiago",
    "Peru": "Lima", "Colombia": "Bogota", "Cuba": "Havana", "England": "London",
    "the United Kingdom": "London", "Scotland": "Edinburgh", "Wales": "Cardiff",
    "Romania": "Bucharest", "Bulgaria": "Sofia", "Croatia": "Zagreb", "Serbia": "Belgrade",
}  # fmt: skip

CONTINENTS = {
    "France": "Europe", "Germany": "Europe", "Italy": "Europe", "Spain": "Europe",
    "Norway": "Europe", "Poland": "Europe", "Greece": "Europe", "Egypt": "Africa",
    "Kenya": "Africa", "Nigeria": "Africa", "Morocco": "Africa", "China": "Asia",
    "Japan": "Asia", "India": "Asia", "Thailand": "Asia", "Canada": "North America",
    "Mexico": "North America", "Brazil": "South America", "Argentina": "South America",
    "Peru": "South America", "Australia": "Oceania",
}  # fmt: skip

CURRENCIES = {
    "France": "the euro", "Germany": "the euro", "Italy": "the euro", "Spain": "the euro",
    "Japan": "the yen", "the United Kingdom": "the pound", "the United States": "the US dollar",
    "India": "the rupee", "China": "the yuan", "Switzerland": "the Swiss franc",
    "Mexico": "the peso", "Poland": "the zloty", "Sweden": "the krona",
}  # fmt: skip

LANGUAGES = {
    "France": "French", "Germany": "German", "Austria": "German", "Italy": "Italian",
    "Spain": "Spanish", "Mexico": "Spanish", "Argentina": "Spanish", "Portugal": "Portuguese",
    "Brazil": "Portuguese", "Japan": "Japanese", "China": "Chinese", "Russia": "Russian",
    "England": "English", "Australia": "English", "Greece": "Greek", "Poland": "Polish",
    "Sweden": "Swedish", "Turkey": "Turkish", "Egypt": "Arabic",
}  # fmt: skip

ANIMAL_SOUNDS = {
    "cow": "moo", "dog": "woof", "cat": "meow", "sheep": "baa", "pig": "oink", "duck": "quack",
    "horse": "neigh", "lion": "roar", "frog": "ribbit", "bee": "buzz", "owl": "hoot",
    "snake": "hiss", "rooster": "cock-a-doodle-doo", "mouse": "squeak", "wolf": "howl",
    "crow": "caw", "bird": "tweet", "donkey": "hee-haw", "hen": "cluck", "bear": "growl",
}  # fmt: skip

LEGS = {
    "dog": 4, "cat": 4, "cow": 4, "horse": 4, "spider": 8, "ant": 6, "bee": 6, "bird": 2,
    "chicken": 2, "snake": 0, "fish": 0, "octopus": 0, "human": 2, "person": 2, "frog": 4,
    "elephant": 4, "mouse": 4, "butterfly": 6,
}  # fmt: skip

BABIES = {
    "dog": "puppy", "cat": "kitten", "cow": "calf", "horse": "foal", "sheep": "lamb",
    "pig": "piglet", "duck": "duckling", "hen": "chick", "lion": "cub", "bear": "cub",
    "goat": "kid", "frog": "tadpole", "deer": "fawn", "swan": "cygnet", "kangaroo": "joey",
}  # fmt: skip

COLOURS = "red orange yellow green blue purple pink brown black white grey".split()

THING_COLOURS = {
    "the sky": "blue", "grass": "green", "a banana": "yellow", "snow": "white", "coal": "black",
    "blood": "red", "a lemon": "yellow", "the sun": "yellow", "the sea": "blue",
    "an orange": "orange", "a strawberry": "red", "milk": "white", "chocolate": "brown",
    "a carrot": "orange", "a leaf": "green", "a fire truck": "red", "a tomato": "red",
    "a plum": "purple", "an elephant": "grey", "a frog": "green", "night": "black",
    "a flamingo": "pink", "a polar bear": "white",
}  # fmt: skip

MIXED_COLOURS = {
    ("red", "yellow"): "orange", ("blue", "yellow"): "green", ("red", "blue"): "purple",
    ("red", "white"): "pink", ("black", "white"): "grey",
}  # fmt: skip

OPPOSITES = {
    "hot": "cold", "big": "small", "tall": "short", "fast": "slow", "day": "night",
    "happy": "sad", "up": "down", "left": "right", "open": "closed", "old": "young",
    "light": "dark", "rich": "poor", "hard": "soft", "early": "late", "full": "empty",
    "good": "bad", "wet": "dry", "strong": "weak", "loud": "quiet", "clean": "dirty",
    "near": "far", "high": "low", "true": "false", "first": "last", "always": "never",
    "begin": "end", "win": "lose", "love": "hate", "buy": "sell", "push": "pull", "thick": "thin",
    "inside": "outside", "easy": "difficult", "heavy": "light", "brave": "afraid", "yes": "no",
    "black": "white", "wide": "narrow", "cheap": "expensive", "sweet": "sour",
}  # fmt: skip

SYNONYMS = {
    "big": "large", "small": "little", "fast": "quick", "happy": "glad", "sad": "unhappy",
    "smart": "clever", "begin": "start", "end": "finish", "beautiful": "pretty", "angry": "mad",
    "easy": "simple", "hard": "difficult", "funny": "amusing", "quiet": "silent",
    "rich": "wealthy", "sick": "ill", "cold": "chilly", "tired": "sleepy",
}  # fmt: skip

PLURALS = {
    "cat": "cats", "dog": "dogs", "mouse": "mice", "child": "children", "foot": "feet",
    "tooth": "teeth", "man": "men", "woman": "women", "goose": "geese", "sheep": "sheep",
    "fish": "fish", "box": "boxes", "city": "cities", "baby": "babies", "leaf": "leaves",
    "knife": "knives", "wolf": "wolves", "bus": "buses", "book": "books", "house": "houses",
    "tree": "trees", "apple": "apples", "person": "people", "story": "stories", "car": "cars",
    "berry": "berries", "life": "lives", "dish": "dishes", "potato": "potatoes",
}  # fmt: skip

PAST_TENSES = {
    "go": "went", "eat": "ate", "run": "ran", "see": "saw", "take": "took", "give": "gave",
    "come": "came", "write": "wrote", "read": "read", "sing": "sang", "swim": "swam",
    "buy": "bought", "think": "thought", "make": "made", "have": "had", "be": "was",
    "drink": "drank", "sleep": "slept", "speak": "spoke", "walk": "walked", "play": "played",
    "work": "worked", "like": "liked", "cook": "cooked", "open": "opened", "help": "helped",
    "fly": "flew", "know": "knew", "find": "found", "build": "built",
}  # fmt: skip

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

MONTHS = (
    "January February March April May June July August September October November December"
).split()

MONTH_DAYS = dict(zip(MONTHS, (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), strict=True))

PLANETS = "Mercury Venus Earth Mars Jupiter Saturn Uranus Neptune".split()

FRUITS = (
    "apple banana orange pear grape lemon cherry mango peach plum kiwi melon strawberry raspberry "
    "pineapple blueberry"
).split()

VEGETABLES = (
    "carrot potato tomato onion pepper cabbage spinach pea bean cucumber pumpkin broccoli leek"
).split()

ANIMALS = (
    "cat dog fox bear rabbit mouse owl lion tiger horse cow pig sheep duck frog wolf elephant "
    "monkey snake turtle penguin whale dolphin eagle hedgehog squirrel deer goat hen bee ant "
    "butterfly dragon unicorn kangaroo giraffe zebra panda parrot crab snail"
).split()

THINGS = (
    "table chair lamp book door window clock cup bottle phone key bag hat coat shoe ball bike car "
    "train boat kite piano guitar map ticket umbrella candle mirror basket pencil"
).split()

FOODS = "bread cheese rice soup pizza pasta salad cake chocolate honey butter eggs milk tea".split()

JOBS = (
    "teacher doctor nurse baker farmer pilot painter writer engineer cook driver singer gardener "
    "carpenter programmer designer lawyer"
).split()

TRANSLATIONS = {
    "hello": ("bonjour", "hola", "hallo"),
    "good morning": ("bonjour", "buenos días", "guten Morgen"),
    "good evening": ("bonsoir", "buenas tardes", "guten Abend"),
    "good night": ("bonne nuit", "buenas noches", "gute Nacht"),
    "goodbye": ("au revoir", "adiós", "auf Wiedersehen"),
    "thank you": ("merci", "gracias", "danke"),
    "thanks": ("merci", "gracias", "danke"),
    "please": ("s'il vous plaît", "por favor", "bitte"),
    "yes": ("oui", "sí", "ja"), "no": ("non", "no", "nein"),
    "cat": ("chat", "gato", "Katze"), "dog": ("chien", "perro", "Hund"),
    "house": ("maison", "casa", "Haus"), "water": ("eau", "agua", "Wasser"),
    "bread": ("pain", "pan", "Brot"), "book": ("livre", "libro", "Buch"),
    "red": ("rouge", "rojo", "rot"), "blue": ("bleu", "azul", "blau"),
    "green": ("vert", "verde", "grün"), "white": ("blanc", "blanco", "weiß"),
    "black": ("noir", "negro", "schwarz"), "one": ("un", "uno", "eins"),
    "two": ("deux", "dos", "zwei"), "three": ("trois", "tres", "drei"),
    "sun": ("soleil", "sol", "Sonne"), "moon": ("lune", "luna", "Mond"),
    "friend": ("ami", "amigo", "Freund"), "love": ("amour", "amor", "Liebe"),
    "apple": ("pomme", "manzana", "Apfel"), "milk": ("lait", "leche", "Milch"),
    "tree": ("arbre", "árbol", "Baum"), "bird": ("oiseau", "pájaro", "Vogel"),
    "horse": ("cheval", "caballo", "Pferd"), "fish": ("poisson", "pez", "Fisch"),
    "school": ("école", "escuela", "Schule"), "car": ("voiture", "coche", "Auto"),
    "day": ("jour", "día", "Tag"), "night": ("nuit", "noche", "Nacht"),
    "fire": ("feu", "fuego", "Feuer"), "coffee": ("café", "café", "Kaffee"),
    "mother": ("mère", "madre", "Mutter"), "father": ("père", "padre", "Vater"),
    "child": ("enfant", "niño", "Kind"), "city": ("ville", "ciudad", "Stadt"),
    "I love you": ("je t'aime", "te quiero", "ich liebe dich"),
    "how are you?": ("comment ça va ?", "¿cómo estás?", "wie geht es dir?"),
    "good": ("bon", "bueno", "gut"), "big": ("grand", "grande", "groß"),
    "small": ("petit", "pequeño", "klein"), "beautiful": ("beau", "hermoso", "schön"),
    "see you tomorrow": ("à demain", "hasta mañana", "bis morgen"),
    "welcome": ("bienvenue", "bienvenido", "willkommen"),
    "the cat": ("le chat", "el gato", "die Katze"), "the dog": ("le chien", "el perro", "der Hund"),
    "the house": ("la maison", "la casa", "das Haus"),
}  # fmt: skip

TONGUES = ("French", "Spanish", "German")


_SYLLABLES = (
    "ba be bo da de do fa fi ga go ka ki ko la le lo ma mi mo na ne no pa pe po ra ri ro sa se so "
    "ta te to va vi vo za ze zo"
).split()


def invented(random: Random) -> str:
    """A word of two or three syllables that stands in no dictionary."""
    return "".join(random.choices(_SYLLABLES, k=random.randint(2, 3)))


def with_article(noun: str) -> str:
    """`noun` with its indefinite article."""
    return ("an " if noun[0] in "aeiou" else "a ") + noun
