"""Words that schemas tend to use. They only add weight to what keys, policies and types say; nothing is decided by a name alone where those speak."""

from __future__ import annotations

import re

TENANT = re.compile(r"org|tenant|workspace|compan|account|team|firm|clinic|school|shop|store|customer|client|club|agency|project|space|group", re.I)
MEMBERS = re.compile(r"member|user|role|people|staff|participant|access", re.I)
ROLE = re.compile(r"(^|_)(role|roles|access_level|permission_level|member_type|kind)($|_id$|_name$|_key$|_code$|_slug$)|role$", re.I)
STRONG_FLAG = re.compile(r"^(is_|has_)?(super_?)?(admin|owner|manager)$|^can_(manage|admin\w*)$", re.I)
STATUS = re.compile(r"(^|_)(status|state)$", re.I)
ACTIVE = ("active", "accepted", "member", "joined", "enabled", "confirmed", "approved", "current", "ok", "valid")
POWER = ("owner", "superadmin", "super_admin", "root", "admin", "administrator", "manager", "maintainer", "lead", "billing", "editor", "builder",
         "developer", "agent", "writer", "contributor", "staff", "member", "user", "basic", "commenter", "auditor", "analyst", "viewer", "reader", "readonly", "read_only",
         "guest", "external", "customer")
READ_ONLY = re.compile(r"view|read|guest|audit|observ", re.I)
FLAG_ON = re.compile(r"^(is_)?(active|enabled|accepted|confirmed|approved)$", re.I)
FLAG_OFF = re.compile(r"^(is_)?(deleted|removed|revoked|suspended|disabled|banned|blocked|inactive|pending|archived|deactivated)$", re.I)
ENDS = re.compile(r"(revoked|removed|deleted|suspended|disabled|banned|left|ended|deactivated|archived|blocked)_(at|on)$|^(valid_until|left_at|until|expiry)$|(^|_)(expires?|expired|ends)(_at|_on|_date)?$", re.I)
STARTS = re.compile(r"(^|_)(accepted|joined|activated|confirmed)_(at|on)$", re.I)
USER = re.compile(r"(^|_)(user|owner|author|creator|member|profile|sender|uploader|account|customer|actor|recipient|assignee|employee|person)(_?u?id)?$|_by$|(^|_)uid$", re.I)
NOT_THE_OWNER = re.compile(r"assign|approv|review|invited_by|updated_by|modified_by|deleted_by|recipient|target|granted_by|resolved|closed|last_|subject|decided", re.I)
DECIDED = re.compile(r"(approv|decid|review|revok|delet|remov|resolv|clos|reject|cancel|suspend|archiv|used|consum|accept)\w*_(by|at|on)$", re.I)
APPROVAL = re.compile(r"^(approv|decid|reject|authori[sz])\w*_(by|at|on)$|^(is_)?approved$", re.I)
PERSONAL = re.compile(
    r"e_?mail|phone|mobile|address|birth|dob$|ssn|social_sec|passport|tax|iban|card|salary|income|secret|token|password|passwd|api_?key|private|"
    r"credential|national|gender|ip_addr|medical|diagnos|license_no|stripe|encrypted|signing|hash$|full_?name|last_?name|surname|webhook", re.I)
SECRET = re.compile(r"secret|token|password|passwd|api_?key|private_key|credential|encrypted|signing|connection_string|dsn", re.I)
HANDED_OUT = re.compile(r"share|public|push|device|page|cursor|sync|next|secret_?(name|id|ref)$|token_?(type|name|id|count|limit|usage)|_tokens$", re.I)
PRIVILEGE = re.compile(r"^is_(super_?)?(admin|staff|owner|superuser)|(^|_)(plan|tier|credits?|quota|billing(?!_?(e_?mail|name|address|contact|city|country))|subscription|entitle|seats?|balance|verified|is_admin|platform_role|"
                       r"max_|limit|price|paid|features?)", re.I)
