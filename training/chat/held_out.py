"""The questions that the evaluation asks; none stands in the corpus word for word.

Each has a pattern that a right answer matches (without regard to case). Subjects such
as France or Tom do occur in the corpus, but not in these words.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One exchange to judge: `system` may be empty, `right` is a regular expression."""

    category: str
    text: str
    right: str
    system: str = ""


_HONEST = r"very small|larger (model|one)|do not know"

QUESTIONS = (
    Question("about itself", "hello, and who might you be?", r"ingle's demo model"),
    Question("about itself", "tell me, what sort of thing are you", r"demo model|computer program"),
    Question("about itself", "so what's your name then?", r"demo"),
    Question("about itself", "which AI model answers me here?", r"ingle's demo model"),
    Question("about itself", "are you made by OpenAI?", r"ingle|no\."),
    Question("about itself", "what kinds of things can you do for me?", r"story|tools|numbers"),
    Question("about itself", "and how large are you?", r"four million"),
    Question("about itself", "explain to me what Ingle is", r"open models on your own machine"),
    Question("about itself", "how could I get a smarter model?", r"ingle models pull"),
    Question("about itself", "does anything I type leave this computer?", r"this machine"),
    Question("greeting", "heyy", r"hello|hi "),
    Question("greeting", "good morning to you", r"morning|hello"),
    Question("greeting", "hi, how are you doing today?", r"well|fine"),
    Question("greeting", "thank you, that helped", r"welcome|pleasure"),
    Question("greeting", "ok bye for now", r"bye|see you"),
    Question("greeting", "i feel a bit sad", r"sorry"),
    Question("capitals", "could you tell me the capital of japan?", r"tokyo"),
    Question("capitals", "i forgot the capital of Kenya, what is it", r"nairobi"),
    Question("capitals", "France - capital?", r"paris"),
    Question("capitals", "Which city is Norway's capital?", r"oslo"),
    Question("capitals", "what's Canada's capital city?", r"ottawa"),
    Question("capitals", "please name Egypt's capital", r"cairo"),
    Question("capitals", "Capital of Italy, please!", r"rome"),
    Question("capitals", "In which country does one find Lisbon?", r"portugal"),
    Question("facts", "what noise do cows make?", r"moo"),
    Question("facts", "so how many legs has a spider", r"8|eight"),
    Question("facts", "tell me the opposite of hot", r"cold"),
    Question("facts", "whats the plural form of mouse", r"mice"),
    Question("facts", "past tense of the word go?", r"went"),
    Question("facts", "which day follows Tuesday?", r"wednesday"),
    Question("facts", "which month comes right after April?", r"may"),
    Question("facts", "which planet is the biggest of all?", r"jupiter"),
    Question("facts", "what colour has the sky", r"blue"),
    Question("facts", "if I mix blue with yellow what do I get", r"green"),
    Question("facts", "at how many degrees does water boil", r"100"),
    Question("facts", "the young of a cat is called what?", r"kitten"),
    Question("sums", "what does 7 + 6 give", r"\b13\b"),
    Question("sums", "whats 23+45?", r"\b68\b"),
    Question("sums", "please compute 81 - 27", r"\b54\b"),
    Question("sums", "how much would 7 times 8 be", r"\b56\b"),
    Question("sums", "tell me: 9x9", r"\b81\b"),
    Question("sums", "38 plus 27 makes", r"\b65\b"),
    Question("sums", "12 * 11 = ?", r"\b132\b"),
    Question("sums", "36 divided by 4 is what", r"\b9\b"),
    Question("sums", "If Mia has 6 apples and Ben gives her 5 more, how many does she have?", r"\b11\b"),
    Question("sums", "which one is bigger, 71 or 17?", r"71 is larger|^71"),
    Question("sums", "can you count up to 12", r"1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12$"),
    Question("sums", "what number comes after 59", r"\b60\b"),
    Question("rewriting", "Put this in upper case please: the green lamp", r"^THE GREEN LAMP"),
    Question("rewriting", "lowercase this text: MY OLD TRAIN", r"^my old train"),
    Question("rewriting", "Make the following polite: Give me the book!", r"could you please give me the book"),
    Question("rewriting", "Change to past tense: Sara eats pears.", r"sara ate pears"),
    Question("rewriting", "Sort these alphabetically: pear, apple, mango", r"apple, mango, pear"),
    Question("rewriting", "Reverse the list: cat, owl, dog", r"dog, owl, cat"),
    Question("rewriting", "how would you say 'thank you' in German?", r"danke"),
    Question("rewriting", "Please translate dog into French", r"chien"),
    Question("rewriting", "what's the Spanish word for house?", r"casa"),
    Question("rewriting", "Repeat after me please: blue kite", r"blue kite"),
    Question("rewriting", "Please summarise: On Monday, Tim, a baker from Graz, lost a key on the way home. Tim looked for it everywhere and asked many people. In the evening, Eva found the key and brought it back.", r"tim lost a key,? and eva found it"),
    Question("reading", "Answer from the text below.\n\nNora has a grey rabbit named Otto. Nora lives in Oslo.\n\nWhere does Nora live?", r"oslo"),
    Question("reading", "Context: The Kabo 70 is a red lamp. It costs 45 euros and weighs 3 kilograms.\nQuestion: What does the Kabo 70 cost?", r"45"),
    Question("reading", "The bakery opens at 7 and closes at 18. It is closed on Monday. When does the bakery close?", r"18"),
    Question("reading", "Text: Ivan works as a pilot. Ivan is 51 years old.\nWhat is the job of Ivan?", r"pilot"),
    Question("reading", "Use the text: Lena likes cheese. Paul likes tea. What does Paul like?", r"tea"),
    Question("reading", "Text: The museum was founded in 1921 by Clara.\n\nWho was it that founded the museum?", r"clara"),
    Question("classifying", "Is this positive or negative? I love this bike, it is wonderful", r"^positive"),
    Question("classifying", "Sentiment (positive, negative, neutral): The soup was cold and the staff was rude.", r"^negative"),
    Question("classifying", "Label as billing, technical or shipping: my parcel never arrived", r"^shipping"),
    Question("classifying", "Classify into sports, food, politics: The team scored three goals", r"^sports"),
    Question("classifying", "Which label, animal or city? Vienna", r"^city"),
    Question("classifying", "Choose billing or technical: I was charged two times", r"^billing"),
    Question("classifying", "Sentiment? This phone is terrible, I want my money back", r"^negative"),
    Question("classifying", "Spam or not spam? Answer spam or praise: Click here and win a free prize", r"^spam"),
    Question("JSON when asked", "Give me name and age as JSON: Ada is 36 years old.", r'^\{"name": "Ada", "age": 36\}$'),
    Question("JSON when asked", "Extract the city as JSON from this sentence: Tom lives in Berlin.", r'^\{"city": "Berlin"\}$'),
    Question("JSON when asked", "Extract item and price, as JSON: The lamp costs 25 euros.", r'^\{"item": "lamp", "price": 25\}$'),
    Question("JSON when asked", "As JSON please, the sentiment of: I hate this chair", r'^\{"sentiment": "negative"\}$'),
    Question("lists and code", "name three fruits for me", r"(apple|banana|orange|pear|grape|lemon|cherry|mango|peach|plum|kiwi|melon|berry|pineapple)"),
    Question("lists and code", "give me a bulleted list of 4 animals", r"^(-|\d\.) .+(\n(-|\d\.) .+){3}$"),
    Question("lists and code", "how do I print hello world with Python?", r'print\("Hello'),
    Question("lists and code", "write some python that adds two numbers", r"a \+ b"),
    Question("stories", "please tell me a little story about a brave robot", r"robot.+\n*.{200}"),
    Question("stories", "could you write a fairy tale about a dragon?", r"dragon.+\n*.{200}"),
    Question("stories", "I would like a story about a cat named Milo", r"milo.+\n*.{200}"),
    Question("stories", "would you write me a haiku please", r"^[^\n]+,?\n[^\n]+\n[^\n]+\.$"),
    Question("stories", "come on, tell me a good joke", r"\?.+!"),
    Question("system message", "What is the capital of Spain?", r"^madrid\.?$", "Always answer with one single word."),
    Question("system message", "hello!", r"arr|ahoy|matey", "You are a pirate. Talk like one."),
    Question("system message", "who are you?", r"max", "You are a friendly assistant named Max."),
    Question("system message", "good night", r"bonne nuit", "You translate everything into French."),
    Question("system message", "The hotel was dirty", r"^negative", "Classify each message as positive, negative or neutral."),
    Question("system message", "what is 3 + 4", r"^[^a-z]*7[^a-z]*$", "Answer only in capital letters."),
    Question("system message", "Where is the shop?", r"leeds", "Answer from this document.\n\nThe shop is in Leeds. It is closed on Sunday."),
    Question("system message", "Hello", r"bonjour", "Please answer in French."),
    Question("honest refusal", "how would you explain quantum computing?", _HONEST),
    Question("honest refusal", "who was the 14th president of the united states", _HONEST),
    Question("honest refusal", "what's the weather like where I am", _HONEST),
    Question("honest refusal", "give me a recipe for lasagna with spinach", _HONEST),
    Question("honest refusal", "what time do we have now?", _HONEST),
    Question("honest refusal", "write a long essay on the Roman economy", _HONEST),
    Question("honest refusal", "how many people live in Brazil today?", _HONEST),
    Question("honest refusal", "how do I sort a linked list in Rust?", _HONEST),
)  # fmt: skip


def normalised(text: str) -> str:
    """`text` without what does not make another question: case and closing marks."""
    return text.lower().strip(" .?!")


# With a system message the words may occur elsewhere; the pair does not.
HELD_OUT = frozenset(normalised(question.text) for question in QUESTIONS if not question.system)
HELD_OUT_SYSTEMS = frozenset(question.system for question in QUESTIONS if question.system)
