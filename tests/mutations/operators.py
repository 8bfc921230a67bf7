"""Make mutations: small mistakes, each at one place of a function, from the function's syntax tree.

An operator is a kind of mistake. `mutations_of()` names each place by function, operator and number: `drop call 2` is
the second call that can be dropped. The key of a mutation does not depend on names. It is a hash of the expression
around the place, in which a number replaces each name in the order of first use. So a list of reviewed mutations stays
valid if variables, fields or constants get new names, if files move, and if statements move inside of a function.
"""

import hashlib
from dataclasses import dataclass

TRANSPARENT = ("ImplicitCastExpr", "ParenExpr", "ConstantExpr")
STATEMENTS = ("CompoundStmt", "IfStmt", "WhileStmt", "DoStmt", "ForStmt", "SwitchStmt", "CaseStmt", "DefaultStmt",
              "ReturnStmt", "DeclStmt", "LabelStmt", "NullStmt", "BreakStmt", "ContinueStmt", "GotoStmt",
              "GCCAsmStmt", "FunctionDecl")  # fmt: skip
LOOPS = ("WhileStmt", "DoStmt", "ForStmt")
RELATIONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "^": "|"}
EITHER_OPERAND = ("+", "*", "&", "|", "^", "&&", "||")
ASSIGNMENTS = {f"{sign}=": f"{other}=" for sign, other in ARITHMETIC.items()}
STEPS = {"++": "--", "--": "++"}
JUMPS = {"BreakStmt": "continue", "ContinueStmt": "break"}
# clang's names of the type with and without <stdbool.h>.
TRUTHS = ("bool", "_Bool")
# Their arguments are for the compiler, and have no influence on the result.
BUILT_IN = ("__builtin_", "__atomic_")


@dataclass(frozen=True)
class Mutation:
    """One mistake: the bytes of a file from `begin` to `end` become `text`."""

    function: str
    operator: str
    number: int
    shape: str
    file: str
    begin: int
    end: int
    text: str
    is_table: bool = False

    @property
    def name(self):
        return f"{self.function}: {self.operator} {self.number}"

    @property
    def key(self):
        return f"{self.function} {self.operator} {self.shape}"

    def apply(self, data):
        """Return the file's bytes with the mistake. Later lines keep their numbers."""
        text = self.text.encode("utf-8")
        lost = data.count(b"\n", self.begin, self.end) - text.count(b"\n")
        return data[: self.begin] + text + b"\n" * lost + data[self.end :]


# --- Types and nodes ---------------------------------------------------------------------------------


def core_of(node):
    """Return the expression inside of parentheses and of implicit conversions."""
    while node.kind in TRANSPARENT and node.children:
        node = node.children[0]
    return node


def is_pointer(type_name):
    return type_name.endswith("*") or type_name.endswith("]") or "(*" in type_name


def is_bool(node):
    """Return whether a node's value is a truth value: of type bool, or a comparison."""
    node = core_of(node)
    return node.type in TRUTHS or node.kind in ("BinaryOperator", "UnaryOperator") and \
        node.data.get("opcode") in (*RELATIONS, "&&", "||", "!")  # fmt: skip


def is_integer(type_name):
    words = ("int", "long", "short", "char", "unsigned", *TRUTHS)
    return not is_pointer(type_name) and (type_name.split(" ")[-1] in words or type_name.startswith("enum "))


def is_constant(node):
    node = core_of(node)
    return node.kind in ("IntegerLiteral", "CharacterLiteral") or node.kind == "DeclRefExpr" and \
        node.data["referencedDecl"]["kind"] == "EnumConstantDecl"  # fmt: skip


def callee_name(call):
    callee = core_of(call.children[0])
    return callee.data["referencedDecl"].get("name", "") if callee.kind == "DeclRefExpr" else ""


def condition_of(node):
    """Return the condition of a statement or of a ?:, or None."""
    place = {"IfStmt": 0, "WhileStmt": 0, "ConditionalOperator": 0, "DoStmt": 1, "ForStmt": 2}.get(node.kind)
    if place is None:
        return None
    if node.kind in ("IfStmt", "WhileStmt") and node.data.get("hasVar"):
        place = 1
    condition = node.children[place]
    return condition if condition.kind else None


def is_statement(node):
    """Return whether an expression is a statement, so that its value is not used."""
    parent = node.parent
    if parent.kind not in STATEMENTS or parent.kind in ("ReturnStmt", "DeclStmt", "SwitchStmt", "FunctionDecl"):
        return False
    if parent.kind == "ForStmt":
        return node is parent.children[4]
    return node is not condition_of(parent) and (parent.kind != "CaseStmt" or node is parent.children[-1])


def is_right_of_assignment(slot):
    parent = slot.parent
    return parent.kind == "VarDecl" or parent.kind == "BinaryOperator" and parent.data["opcode"] == "=" and \
        slot is parent.children[1]  # fmt: skip


# --- The shape of a place: its form without its names --------------------------------------


def context_of(node):
    """Return the complete expression or initialiser around a node."""
    while node.parent.kind not in (*STATEMENTS, "VarDecl", "InitListExpr"):
        node = node.parent
    return node.parent if node.parent.kind == "InitListExpr" else node


def write_shape(node, marked, names, words):
    """Return a node's shape as words. `names` numbers the names by their first use."""
    if node is marked:
        words.append("here")
    if node.kind not in TRANSPARENT:
        reference = node.data.get("referencedDecl", {}).get("id") or node.data.get("referencedMemberDecl")
        words += [node.kind, node.data.get("opcode", "")]
        if reference is not None:
            words.append(str(names.setdefault(reference, len(names))))
        elif "Literal" in node.kind:
            words.append(str(node.data.get("value", "")))
    words.append("(")
    for child in node.children:
        write_shape(child, marked, names, words)
    words.append(")")


def shape_of(node):
    words = []
    write_shape(context_of(node), node, {}, words)
    return " ".join(words)


# --- The operators -----------------------------------------------------------------------------------


class Maker:
    """Collect the mutations of one function."""

    def __init__(self, function, source):
        self.function = function
        self.source = source
        self.found = []

    def text(self, node):
        return self.source.text(node.begin, node.end)

    def add(self, operator, node, text, shape=None):
        """Add a mistake that replaces a node, unless it changes nothing."""
        if node.begin is not None and text != self.text(node):
            self.found.append((operator, node.begin, node.end, text, shape if shape is not None else shape_of(node)))

    def insert(self, operator, offset, text, shape):
        self.found.append((operator, offset, offset, text, shape))

    def operator_place(self, node):
        """Return (begin, end) of the operator between the operands of a node, or None if it comes from a macro."""
        left, right = node.children[0].end, node.children[1].begin
        if left is None or right is None:
            return None
        sign = node.data["opcode"]
        between = self.source.text(left, right)
        return (left + between.index(sign), len(sign)) if between.count(sign) == 1 else None

    def replace_sign(self, operator, node, sign):
        place = self.operator_place(node)
        if place is not None:
            self.found.append((operator, place[0], place[0] + place[1], sign, shape_of(node)))

    # A replaced value is still computed, so the side effects of a call stay.
    def replace_value(self, operator, slot, value):
        if slot.begin is not None:
            self.add(operator, slot, f"(({self.text(slot)}), {value})")

    def visit(self, slot):
        """Add all mistakes at an expression or a statement."""
        core = core_of(slot)
        condition = condition_of(core)
        if condition is not None:
            self.conditions(core, condition)
        if slot.begin is None:
            return
        self.constants(slot, core)
        if core.begin is None:
            return
        getattr(self, f"at_{core.kind}", lambda *_: None)(slot, core)
        if is_statement(slot):
            self.statements(slot, core)

    def conditions(self, owner, condition):
        """Make a condition always true or always false. Only a time limit would find a loop that never ends."""
        if core_of(condition).kind == "IntegerLiteral":
            return
        self.replace_value("condition never", condition, "0")
        if owner.kind not in LOOPS:
            self.replace_value("condition always", condition, "1")

    def constants(self, slot, core):
        """Replace a number, a named number, a truth value or an enumerator by another."""
        if not is_constant(core) or is_pointer(slot.type):
            return
        owner = slot.parent
        if owner.kind in ("CaseStmt", "AtomicExpr") or \
           owner.kind == "CallExpr" and callee_name(owner).startswith(BUILT_IN):  # fmt: skip
            return
        text = self.text(slot)
        if text in ("true", "false"):
            self.add("truth", slot, "false" if text == "true" else "true")
            return
        self.add("constant + 1", slot, f"({text} + 1)")
        if text != "0":
            self.add("constant - 1", slot, f"({text} - 1)")

    def at_BinaryOperator(self, slot, core):
        sign = core.data["opcode"]
        left, right = core.children
        pointers = is_pointer(left.type) + is_pointer(right.type)
        if sign in RELATIONS and not (sign in ("==", "!=") and condition_of(slot.parent) is slot):
            self.replace_sign("relation", core, RELATIONS[sign])
        if sign in ARITHMETIC and pointers < 2:
            self.replace_sign("arithmetic", core, ARITHMETIC[sign])
        if sign in ("&&", "||"):
            self.replace_sign("logic", core, "||" if sign == "&&" else "&&")
        if sign in (*ARITHMETIC, "&&", "||") and None not in (left.begin, right.begin) and pointers < 2:
            self.operands(slot, sign, left, right)

    def operands(self, slot, sign, left, right):
        """Drop one of two operands."""
        truth = "!!" if sign in ("&&", "||") else ""
        if truth or not is_pointer(right.type):
            self.add("left operand only", slot, f"({truth}({self.text(left)}))")
        if sign in EITHER_OPERAND and (truth or not is_pointer(left.type)):
            self.add("right operand only", slot, f"({truth}({self.text(right)}))")

    def at_CompoundAssignOperator(self, _, core):
        sign = core.data["opcode"]
        if sign in ASSIGNMENTS:
            self.replace_sign("arithmetic", core, ASSIGNMENTS[sign])

    def at_UnaryOperator(self, slot, core):
        sign = core.data["opcode"]
        if sign == "!" and condition_of(slot.parent) is not slot and core.children[0].begin is not None:
            self.add("not", slot, f"(!!({self.text(core.children[0])}))")
        if sign in STEPS and core.children[0].begin is not None:
            operand = self.text(core.children[0])
            text = operand + STEPS[sign] if core.data.get("isPostfix") else STEPS[sign] + operand
            self.add("step", core, text)

    def at_CallExpr(self, slot, core):
        arguments = core.children[1:]
        if callee_name(core).startswith(BUILT_IN):
            return
        for first, second in zip(arguments, arguments[1:]):
            if first.type == second.type and None not in (first.begin, second.begin):
                self.swap(first, second, core)
        if is_statement(slot):
            return
        for argument in arguments:
            same = core_of(argument).type == core.type or argument.type == core.type
            if same and argument.begin is not None:
                self.add("call is its argument", slot, f"({self.text(argument)})", shape_of(argument))
        if core.type in TRUTHS and is_right_of_assignment(slot):
            self.replace_value("result is true", slot, "1")
            self.replace_value("result is false", slot, "0")

    def swap(self, first, second, call):
        between = self.source.text(first.end, second.begin)
        text = self.text(second) + between + self.text(first)
        if self.text(first) != self.text(second):
            shape = shape_of(first)
            self.found.append(("swap arguments", first.begin, second.end, text, shape))

    def at_MemberExpr(self, slot, core):
        """Replace a field by the next field of the same type."""
        fields = self.function.records.get(core.data.get("referencedMemberDecl"), [])
        name = core.data.get("name", "")
        kinds = [kind for field, kind in fields if field == name]
        same = [field for field, kind in fields if kinds and kind == kinds[0]]
        if len(same) > 1 and self.text(core).endswith(name):
            other = same[(same.index(name) + 1) % len(same)]
            self.add("field", core, self.text(core)[: -len(name)] + other)

    def at_InitListExpr(self, slot, core):
        """Drop a field or an element."""
        for element in core.children:
            inner = core_of(element)
            if not is_constant(element) and (is_integer(element.type) or is_pointer(element.type)) and \
               inner.kind not in ("InitListExpr", "StringLiteral", "ImplicitValueInitExpr"):  # fmt: skip
                self.add("initialiser is 0", element, "0")

    def at_ReturnStmt(self, _, core):
        if not core.children:
            return
        value = core.children[0]
        if is_bool(value):
            if core_of(value).kind != "IntegerLiteral":
                self.replace_value("return true", value, "1")
                self.replace_value("return false", value, "0")
        elif is_pointer(value.type):
            if "NULL" not in (self.text(value) if value.begin is not None else "NULL"):
                self.replace_value("return NULL", value, "(void *)0")
        elif is_integer(value.type) and not is_constant(value):
            self.replace_value("return 0", value, "0")
            if value.begin is not None:
                self.add("return + 1", value, f"({self.text(value)}) + 1")

    def at_BreakStmt(self, _, core):
        """Mutate `break` and `continue` in a loop, but not in a switch."""
        owner = next((node for node in core.ancestors() if node.kind in (*LOOPS, "SwitchStmt")), None)
        if owner is not None and owner.kind in LOOPS:
            self.add("jump", core, JUMPS[core.kind], core.kind)

    at_ContinueStmt = at_BreakStmt

    def statements(self, slot, core):
        """Drop a statement, or exchange it with the next one."""
        sign = core.data.get("opcode", "")
        if core.kind == "CallExpr":
            self.add("drop call", slot, "")
        elif core.kind == "CompoundAssignOperator" or core.kind == "BinaryOperator" and sign == "=":
            self.add("drop assignment", slot, "")
        elif core.kind == "UnaryOperator" and sign in STEPS:
            self.add("drop step", slot, "")
        if core.kind == "CallExpr" and slot.parent.kind == "CompoundStmt":
            siblings = slot.parent.children
            after = siblings[siblings.index(slot) + 1 : siblings.index(slot) + 2]
            if after and core_of(after[0]).kind == "CallExpr" and after[0].begin is not None:
                self.swap_statements(slot, after[0])

    def swap_statements(self, first, second):
        between = self.source.text(first.end, second.begin)
        if self.text(first) != self.text(second):
            text = self.text(second) + between + self.text(first)
            self.found.append(("swap calls", first.begin, second.end, text, shape_of(first) + shape_of(second)))

    def early_return(self):
        """Make a function without a result do nothing."""
        body = self.function.root
        returns = any(node.kind == "ReturnStmt" and node.children for node in body.walk())
        if body.kind == "CompoundStmt" and len(body.children) > 1 and not returns and body.begin is not None:
            self.insert("return early", body.begin + 1, " return;", "body")


def is_slot(node):
    """Return whether a node is the outermost node of one expression, or a statement."""
    return node.kind != "" and node.parent.kind not in TRANSPARENT


def mutations_of(function, source):
    """Return all mutations of a function, in the order of its text."""
    maker = Maker(function, source)
    for node in function.root.walk():
        if is_slot(node):
            maker.visit(node)
    maker.early_return()
    numbers, shapes, seen, result = {}, {}, set(), []
    for operator, begin, end, text, shape in sorted(maker.found, key=lambda made: made[1:3]):
        if (begin, end, text) in seen:
            continue
        seen.add((begin, end, text))
        numbers[operator] = numbers.get(operator, 0) + 1
        digest = hashlib.sha256(f"{operator} {shape}".encode()).hexdigest()[:10]
        shapes[digest] = shapes.get(digest, 0) + 1
        if shapes[digest] > 1:
            digest += f".{shapes[digest]}"
        result.append(Mutation(function.name, operator, numbers[operator], digest, function.file, begin, end, text,
                               function.is_table))  # fmt: skip
    return result
