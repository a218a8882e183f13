-- Run once, when the server is made. Keys apart from the journal, so that each is backed up and
-- restored by itself; read models apart from both, since they can be built again.
CREATE DATABASE tillroll_keys ENCODING 'UTF8' TEMPLATE template0;
CREATE DATABASE tillroll_read_models ENCODING 'UTF8' TEMPLATE template0;
