#include "quaver/data/stories.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "quaver/core/check.h"
#include "quaver/core/random.h"
#include "quaver/core/text.h"

namespace quaver {
namespace {

using Names = std::array<std::string_view, 4>;
constexpr Names kPeople{"Mary", "John", "Sandra", "Daniel"};
constexpr std::array<std::string_view, 6> kRooms{"kitchen", "garden", "office", "hallway", "bedroom", "bathroom"};
constexpr std::array<std::string_view, 3> kObjects{"football", "milk", "apple"};
constexpr Names kMoves{"moved to", "went to", "travelled to", "journeyed to"};
constexpr Names kTakes{"got", "took", "grabbed", "picked up"};
constexpr Names kDrops{"dropped", "discarded", "left", "put down"};
constexpr Names kCounts{"none", "one", "two", "three"};
static_assert(kObjects.size() < kCounts.size());

// One story: numbered lines, and what is true in its world with the lines that say so.
class World {
 public:
  explicit World(Random& random) : random_(random) {}

  template <std::size_t size>
  std::size_t pick(const std::array<std::string_view, size>&) {
    return random_.below(size);
  }
  template <std::size_t size>
  std::string_view any(const std::array<std::string_view, size>& names) {
    return names[random_.below(size)];
  }
  bool coin() { return random_.below(2) == 0; }

  std::size_t tell(const std::string& sentence) {
    text_ += concat(++lines_, " ", sentence, ".\n");
    return lines_;
  }
  void ask(const std::string& question, std::string_view answer, const std::vector<std::size_t>& lines) {
    text_ += concat(++lines_, " ", question, "? \t", answer, "\t");
    for (std::size_t i = 0; i < lines.size(); ++i) text_ += concat(i == 0 ? "" : " ", lines[i]);
    text_ += '\n';
  }
  const std::string& text() const { return text_; }

  struct Person {
    std::optional<std::size_t> room{};      // where, if told
    std::size_t line = 0;                   // that says so
    std::vector<std::size_t> hand_lines{};  // of everything taken or put down
  };
  struct Stay {
    std::size_t room, line;  // a room the object was in, and the line that brought its holder there
  };
  struct Thing {
    std::optional<std::size_t> holder{};
    std::size_t hand_line = 0;  // of the last taking or putting down
    std::vector<Stay> stays{};  // rooms it is known to have been in, oldest first, no room twice in a row
  };

  void move(std::size_t person) {
    std::size_t room = pick(kRooms);
    while (people[person].room == room) room = pick(kRooms);
    const std::size_t line = tell(concat(kPeople[person], " ", any(kMoves), " the ", kRooms[room]));
    people[person].room = room;
    people[person].line = line;
    for (Thing& thing : things)
      if (thing.holder == person) thing.stays.push_back({room, line});
  }

  // A thing lies where it was put down, so that only somebody there can take it.
  bool take(std::size_t person, std::size_t object) {
    Thing& thing = things[object];
    if (thing.holder || !people[person].room) return false;
    if (!thing.stays.empty() && thing.stays.back().room != *people[person].room) return false;
    thing.hand_line = tell(concat(kPeople[person], " ", any(kTakes), " the ", kObjects[object], " there"));
    thing.holder = person;
    if (thing.stays.empty()) thing.stays.push_back({*people[person].room, people[person].line});
    people[person].hand_lines.push_back(thing.hand_line);
    return true;
  }

  bool drop(std::size_t object) {
    Thing& thing = things[object];
    if (!thing.holder) return false;
    Person& person = people[*thing.holder];
    thing.hand_line = tell(concat(kPeople[*thing.holder], " ", any(kDrops), " the ", kObjects[object]));
    person.hand_lines.push_back(thing.hand_line);
    thing.holder.reset();
    return true;
  }

  // Moves are twice as likely as either thing done with hands.
  void act() {
    for (;;) {
      const std::size_t person = pick(kPeople), object = pick(kObjects);
      switch (random_.below(4)) {
        case 0:
          if (take(person, object)) return;
          break;
        case 1:
          if (drop(object)) return;
          break;
        default: move(person); return;
      }
    }
  }

  std::array<Person, kPeople.size()> people{};
  std::array<Thing, kObjects.size()> things{};

 private:
  Random& random_;
  std::size_t lines_ = 0;
  std::string text_;
};

// Each returns whether the world could answer; a question that it could not is not asked.
bool ask_where(World& world) {
  const std::size_t person = world.pick(kPeople);
  const World::Person& known = world.people[person];
  if (!known.room) return false;
  world.ask(concat("Where is ", kPeople[person]), kRooms[*known.room], {known.line});
  return true;
}

bool ask_yes_no(World& world) {
  const std::size_t person = world.pick(kPeople);
  const World::Person& known = world.people[person];
  if (!known.room) return false;
  const std::size_t room = world.coin() ? *known.room : world.pick(kRooms);
  world.ask(concat("Is ", kPeople[person], " in the ", kRooms[room]), room == *known.room ? "yes" : "no", {known.line});
  return true;
}

bool ask_object(World& world) {
  const std::size_t object = world.pick(kObjects);
  const World::Thing& thing = world.things[object];
  if (thing.stays.empty()) return false;
  const World::Stay& last = thing.stays.back();
  world.ask(concat("Where is the ", kObjects[object]), kRooms[last.room],
            {std::min(thing.hand_line, last.line), std::max(thing.hand_line, last.line)});
  return true;
}

bool ask_object_before(World& world) {
  const std::size_t object = world.pick(kObjects);
  const World::Thing& thing = world.things[object];
  if (thing.stays.size() < 2) return false;
  const World::Stay& last = thing.stays.back();
  const World::Stay& before = thing.stays[thing.stays.size() - 2];
  std::vector<std::size_t> lines{thing.hand_line, before.line, last.line};
  std::ranges::sort(lines);
  world.ask(concat("Where was the ", kObjects[object], " before the ", kRooms[last.room]), kRooms[before.room], lines);
  return true;
}

bool ask_count(World& world) {
  const std::size_t person = world.pick(kPeople);
  if (world.people[person].hand_lines.empty()) return false;
  const auto held =
      static_cast<std::size_t>(std::ranges::count(world.things, std::optional(person), &World::Thing::holder));
  world.ask(concat("How many objects is ", kPeople[person], " carrying"), kCounts[held],
            world.people[person].hand_lines);
  return true;
}

// A story of `questions` questions with `facts` facts before each.
template <typename Tell, typename Ask>
std::string told(Random& random, std::size_t questions, std::size_t facts, const Tell& tell, const Ask& ask) {
  World world(random);
  for (std::size_t asked = 0; asked < questions; ++asked) {
    for (std::size_t i = 0; i < facts; ++i) tell(world);
    while (!ask(world)) tell(world);
  }
  return world.text();
}

std::string negation_story(Random& random) {
  World world(random);
  struct Claim {
    std::size_t room = 0, line = 0;
    bool there = false, told = false;
  };
  std::array<Claim, kPeople.size()> claims{};
  for (std::size_t asked = 0; asked < 5; ++asked) {
    for (std::size_t i = 0; i < 2; ++i) {
      const std::size_t person = world.pick(kPeople), room = world.pick(kRooms);
      const bool there = world.coin();
      const std::string verb = there ? (world.coin() ? "is in" : concat(world.any(kMoves)))
                                     : (world.coin() ? "is not in" : "is no longer in");
      claims[person] = {room, world.tell(concat(kPeople[person], " ", verb, " the ", kRooms[room])), there, true};
    }
    std::size_t person = world.pick(kPeople);
    while (!claims[person].told) person = world.pick(kPeople);
    const Claim& claim = claims[person];
    // That somebody is not in one room says nothing about the others, so only that room is asked for.
    const std::size_t room = claim.there && world.coin() ? world.pick(kRooms) : claim.room;
    world.ask(concat("Is ", kPeople[person], " in the ", kRooms[room]),
              claim.there && room == claim.room ? "yes" : "no", {claim.line});
  }
  return world.text();
}

// Five rooms on a grid, told as four neighbourhoods in random order; the way asked for has two steps.
std::string path_story(Random& random) {
  struct Direction {
    std::string_view name, letter;
    int x, y;
  };
  constexpr std::array<Direction, 4> kDirections{
      {{"north", "n", 0, 1}, {"south", "s", 0, -1}, {"east", "e", 1, 0}, {"west", "w", -1, 0}}};
  struct Place {
    int x, y;
    bool operator==(const Place&) const = default;
  };
  struct Door {
    std::size_t from, to, direction;  // `to` lies in this direction of `from`
  };
  constexpr std::size_t kPlaces = 5;
  World world(random);
  std::array<std::size_t, kRooms.size()> rooms{};
  for (std::size_t i = 0; i < rooms.size(); ++i) rooms[i] = i;
  random.shuffle<std::size_t>(rooms);
  std::vector<Place> places{{0, 0}};
  std::vector<Door> doors;
  while (places.size() < kPlaces) {
    // The second door hangs on the room behind the first one: there is always a way of two steps.
    const std::size_t from = places.size() == 2 ? 1 : random.below(places.size());
    const std::size_t direction = random.below(kDirections.size());
    const Place next{places[from].x + kDirections[direction].x, places[from].y + kDirections[direction].y};
    if (std::ranges::find(places, next) != places.end()) continue;
    doors.push_back({from, places.size(), direction});
    places.push_back(next);
  }
  const std::array<Door, 2> way{doors[0], doors[1]};
  random.shuffle<Door>(doors);
  std::array<std::size_t, 2> lines{};
  for (const Door& door : doors) {
    const bool turned = world.coin();  // told from the other side
    const std::size_t direction = turned ? door.direction ^ 1u : door.direction;
    const std::size_t line =
        world.tell(concat("The ", kRooms[rooms[turned ? door.from : door.to]], " is ", kDirections[direction].name,
                          " of the ", kRooms[rooms[turned ? door.to : door.from]]));
    for (std::size_t step = 0; step < way.size(); ++step)
      if (door.to == way[step].to) lines[step] = line;
  }
  world.ask(concat("How do you go from the ", kRooms[rooms[way[0].from]], " to the ", kRooms[rooms[way[1].to]]),
            concat(kDirections[way[0].direction].letter, ",", kDirections[way[1].direction].letter),
            {lines[0], lines[1]});
  return world.text();
}

std::string one_story(std::size_t number, Random& random) {
  const auto move = [](World& world) { world.move(world.pick(kPeople)); };
  const auto act = [](World& world) { world.act(); };
  switch (number) {
    case 1: return told(random, 5, 2, move, ask_where);
    case 2: return told(random, 5, 3, act, ask_object);
    case 3: return told(random, 5, 4, act, ask_object_before);
    case 6: return told(random, 5, 2, move, ask_yes_no);
    case 7: return told(random, 5, 3, act, ask_count);
    case 9: return negation_story(random);
    default: QUAVER_DCHECK(number == 19); return path_story(random);
  }
}

// The part of a text of stories that ends with its question number `questions`, and how many it has.
std::size_t count_questions(std::string_view text, std::size_t questions, std::size_t& end) {
  std::size_t count = 0;
  for (end = 0; end < text.size() && count < questions;) {
    const std::size_t next = text.find('\n', end) + 1;
    if (text.substr(end, next - end).find('\t') != std::string_view::npos) ++count;
    end = next;
  }
  return count;
}

}  // namespace

const std::vector<GeneratedTask>& generated_tasks() {
  static const std::vector<GeneratedTask> tasks{
      {1, "qa1_single-supporting-fact"},
      {2, "qa2_two-supporting-facts"},
      {3, "qa3_three-supporting-facts"},
      {6, "qa6_yes-no-questions"},
      {7, "qa7_counting"},
      {9, "qa9_simple-negation"},
      {19, "qa19_path-finding"},
  };
  return tasks;
}

std::string generate_stories(std::size_t number, std::size_t questions, std::uint64_t seed) {
  Random random = Random(seed).fork(number);
  std::string text;
  for (std::size_t count = 0; count < questions;) {
    const std::string story = one_story(number, random);
    std::size_t end = 0;
    count += count_questions(story, questions - count, end);
    text += story.substr(0, end);
  }
  return text;
}

}  // namespace quaver
